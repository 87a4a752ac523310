"""`CollaborationChannel`: learners who write one exercise together. Each file is a Yjs document; its updates travel as
base64 of y-protocols' sync messages, cursors by whisper. The truth is in PostgreSQL, and every `sync` is answered from it,
so any number of serving processes agree and none remembers a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from jiki_core.cable import Channel, Rate, action
from jiki_learning.commands.share_document import append_update
from jiki_learning.errors import CollaborationNotFound, UpdateTooLarge
from jiki_learning.queries.collaborations import (
    Access,
    CollaborationRole,
    access_collaboration,
    filenames_of,
    updates_of,
)
from jiki_learning.queries.own_settings import learning_settings
from jiki_learning.shared_text import SyncKind, SyncMessage, missing_from, state_of

#: clients ask again this often, in case a message was lost that nobody could tell them of
RESYNC_SECONDS = 30


@dataclass(frozen=True, slots=True)
class CollaborationParams:
    uuid: str


@dataclass(frozen=True, slots=True)
class OpenedMessage:
    """The subscription stands, or goes on in another stream: what the participant may do, and which files there are.
    Clients send a sync step 1 for each file then, and every `resync_seconds`."""

    type: Literal["opened"]
    participant_id: int
    role: Literal["edit", "view"]
    is_owner: bool
    filenames: list[str]
    resync_seconds: int
    max_update_bytes: int


@dataclass(frozen=True, slots=True)
class SyncMessageSent:
    """`message` is base64 of one y-protocols sync message. `participant_id` is whose update it is; answers have none."""

    type: Literal["sync"]
    filename: str
    message: str
    participant_id: int | None = None


@dataclass(frozen=True, slots=True)
class SavedMessage:
    """The update that was sent with this `ref` is stored."""

    type: Literal["saved"]
    filename: str
    ref: int


@dataclass(frozen=True, slots=True)
class JoinedMessage:
    """Somebody came by an invitation."""

    type: Literal["joined"]
    participant_id: int
    role: Literal["edit", "view"]


@dataclass(frozen=True, slots=True)
class RoleChangedMessage:
    """What a participant may do from now on."""

    type: Literal["role_changed"]
    participant_id: int
    role: Literal["edit", "view"]


@dataclass(frozen=True, slots=True)
class MovedMessage:
    """Somebody was removed, and nothing more comes on this stream: clients perform `follow`."""

    type: Literal["moved"]
    removed_id: int


@dataclass(frozen=True, slots=True)
class SubmittedMessage:
    """The owner handed in what is written."""

    type: Literal["submitted"]
    submission_uuid: str


@dataclass(frozen=True, slots=True)
class TestedMessage:
    """The tests of a submission of the owner's are over; `summary` counts them, as SubmissionChannel's `finished` does."""

    type: Literal["tested"]
    submission_uuid: str
    state: str
    outcome: str | None = None
    summary: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ClosedMessage:
    """Nothing more comes: it has ended, or the participant was removed."""

    type: Literal["closed"]
    reason: Literal["ended", "removed"]


@dataclass(frozen=True, slots=True)
class SyncPayload:
    """`ref` is the client's own number of an update, by which it is told that it is stored."""

    filename: str
    message: str
    ref: int | None = None


class CollaborationChannel(Channel):
    """Subscribed to as `{"channel":"CollaborationChannel","uuid":"…"}` by participants. Whispers reach all others;
    presence ids are participants' ids."""

    permission = "learning.learn"
    Params = CollaborationParams
    # keystrokes come in batches; a first sync of twenty files, asked and answered, comes at once
    rate = Rate(15, per_seconds=1.0, burst=60)
    truth = "GET /api/v1/internal/collaborations/{uuid}"
    sends: ClassVar = {
        "opened": OpenedMessage,
        "sync_sent": SyncMessageSent,
        "saved": SavedMessage,
        "joined": JoinedMessage,
        "role_changed": RoleChangedMessage,
        "moved": MovedMessage,
        "submitted": SubmittedMessage,
        "tested": TestedMessage,
        "closed": ClosedMessage,
    }

    #: where it listens now
    _stream = ""

    def subscribed(self) -> None:
        try:
            access = access_collaboration(self.user_id, self.params.uuid)
        except CollaborationNotFound:
            self.reject()
            return
        if access.ended_at is not None:
            self.reject()
            return
        self._open(access)

    @action(payload=SyncPayload)
    def sync(self, data: SyncPayload) -> None:
        """One sync message about a file: a step 1 is answered with what the client has not, an update is stored."""
        access = self._access()
        if access is None:
            return
        message = SyncMessage.decode(data.message)
        if message.kind is SyncKind.STEP1:
            self._answer(access, data.filename, message.payload)
            return
        limit = learning_settings().collaboration_update_bytes
        if len(message.payload) > limit:
            raise UpdateTooLarge(limit)
        append_update(self.uow, access, data.filename, message)
        if data.ref is not None:
            self.transmit({"type": "saved", "filename": data.filename, "ref": data.ref})

    @action
    def follow(self, data: object) -> None:
        """Goes on in the stream that is current after somebody was removed."""
        self._access()

    def _answer(self, access: Access, filename: str, state: bytes) -> None:
        updates = updates_of(access, filename)
        answers = [SyncMessage(SyncKind.STEP2, missing_from(state, updates))]
        if access.role is CollaborationRole.EDIT:
            answers.append(SyncMessage(SyncKind.STEP1, state_of(updates)))
        for one in answers:
            self.transmit({"type": "sync", "filename": filename, "message": one.encode()})

    def _access(self) -> Access | None:
        """Read afresh. None when there is nothing else to do: the streams end for somebody who takes part no longer, and
        a client that did not hear that the collaboration moved is told so, whereupon it begins again."""
        try:
            access = access_collaboration(self.user_id, self.params.uuid)
        except CollaborationNotFound:
            self._close("removed")
            return None
        if access.ended_at is not None:
            self._close("ended")
            return None
        if access.stream != self._stream:
            self._open(access)
            return None
        return access

    def _open(self, access: Access) -> None:
        self._stream = access.stream
        self.stop_all_streams()
        self.stream_from(access.stream)
        self.allow_whisper(access.stream)
        self.allow_presence(access.stream, presence_id=str(access.participant_id))
        self.transmit(
            {
                "type": "opened",
                "participant_id": access.participant_id,
                "role": access.role,
                "is_owner": access.is_owner,
                "filenames": filenames_of(access),
                "resync_seconds": RESYNC_SECONDS,
                "max_update_bytes": learning_settings().collaboration_update_bytes,
            }
        )

    def _close(self, reason: Literal["ended", "removed"]) -> None:
        self.stop_all_streams()
        self.transmit({"type": "closed", "reason": reason})
