"""`internal/collaborations`: working on one exercise together; what is written there also travels by CollaborationChannel."""

from __future__ import annotations

from typing import Any

from jiki_core.db import unit_of_work
from jiki_core.errors import NotFound
from jiki_core.http import Blueprint, Reply, no_content, policy, reply, timestamp
from jiki_core.runtime import runtime
from jiki_core.security import me
from jiki_learning.api.v1.offered_files import HAND_IN_ERRORS
from jiki_learning.collaboration_schemas import (
    CollaborationBody,
    CollaborationReply,
    CollaborationsReply,
    HandInBody,
    InvitationBody,
    InvitationReply,
    JoinBody,
    ParticipantBody,
    SyncBody,
    SyncReply,
    VersionReply,
    VersionsReply,
)
from jiki_learning.commands.collaborate import (
    begin_collaboration,
    end_collaboration,
    invite,
    join_collaboration,
    remove_participant,
    set_role,
    withdraw_invitation,
)
from jiki_learning.commands.share_document import append_update
from jiki_learning.commands.submit_collaboration import submit_collaboration
from jiki_learning.errors import (
    CollaborationEnded,
    CollaborationFull,
    CollaborationMoved,
    CollaborationNotFound,
    CollaborationOwnerOnly,
    CollaborationReadOnly,
    DocumentNotFound,
    DocumentTooLarge,
    DuplicateFilename,
    FileTooLarge,
    InvalidInvitation,
    InvalidSubmission,
    InvalidUpdate,
    LessonNotFound,
    ParticipantNotFound,
    TooManyCollaborations,
    TooManyFiles,
    UpdateTooLarge,
    UserLessonNotFound,
)
from jiki_learning.queries.collaborations import (
    CollaborationRole,
    access_collaboration,
    collaboration_shape,
    open_collaborations,
    updates_of,
    version_shape,
    versions_of,
)
from jiki_learning.queries.own_settings import learning_settings
from jiki_learning.schemas import EmptyReply, SubmissionReply
from jiki_learning.shared_text import SyncKind, SyncMessage, missing_from, state_of
from jiki_learning.submission_rules import OfferedFile

blp = Blueprint(
    "collaborations", __name__, url_prefix="/collaborations", description="Working on one exercise together"
)


@blp.route("", methods=["POST"])
@policy("learning.learn")
@blp.arguments(CollaborationBody)
@blp.response(201, CollaborationReply)
@blp.raises(LessonNotFound, UserLessonNotFound, TooManyCollaborations, DocumentTooLarge)
@blp.raises(DuplicateFilename, FileTooLarge, TooManyFiles, InvalidSubmission)
def begin(body: dict[str, Any]) -> Reply:
    """Opens a collaboration on a lesson that one has started, with these files or those of one's latest submission."""
    given = body["collaboration"]
    files = None if given["files"] is None else [OfferedFile(one["filename"], one["code"]) for one in given["files"]]
    with unit_of_work() as uow:
        access = begin_collaboration(uow, me().user_id, given["lesson_slug"], files)
    return reply({"collaboration": collaboration_shape(access)}, status=201)


@blp.route("")
@policy("learning.learn")
@blp.response(200, CollaborationsReply)
def index() -> Reply:
    """The open collaborations that one takes part in, newest first."""
    return reply({"collaborations": open_collaborations(me().user_id)})


@blp.route("/join", methods=["POST"])
@policy("learning.learn")
@blp.arguments(JoinBody)
@blp.response(200, CollaborationReply)
@blp.raises(InvalidInvitation, CollaborationEnded, CollaborationFull)
def join(body: dict[str, Any]) -> Reply:
    """Takes part by an invitation's token; again is no change."""
    with unit_of_work() as uow:
        access = join_collaboration(uow, me().user_id, body["token"])
    return reply({"collaboration": collaboration_shape(access)})


@blp.route("/<uuid>")
@policy("learning.learn")
@blp.response(200, CollaborationReply)
@blp.raises(CollaborationNotFound)
def show(uuid: str) -> Reply:
    """Who takes part and what the files hold now; also after the end."""
    return reply({"collaboration": collaboration_shape(access_collaboration(me().user_id, uuid))})


@blp.route("/<uuid>/sync", methods=["POST"])
@policy("learning.learn")
@blp.arguments(SyncBody)
@blp.response(200, SyncReply)
@blp.raises(CollaborationNotFound, CollaborationEnded, CollaborationReadOnly, CollaborationMoved)
@blp.raises(InvalidUpdate, UpdateTooLarge, DocumentNotFound, DocumentTooLarge)
def sync(body: dict[str, Any], uuid: str) -> Reply:
    """The channel's action of that name, without a socket, and for updates that are too large for one."""
    access = access_collaboration(me().user_id, uuid)
    message = SyncMessage.decode(body["message"])
    if message.kind is SyncKind.STEP1:
        updates = updates_of(access, body["filename"])
        answers = [
            SyncMessage(SyncKind.STEP2, missing_from(message.payload, updates)),
            SyncMessage(SyncKind.STEP1, state_of(updates)),
        ]
        return reply({"messages": [one.encode() for one in answers]})
    limit = learning_settings().collaboration_document_bytes
    if len(message.payload) > limit:
        raise UpdateTooLarge(limit)
    with unit_of_work() as uow:
        append_update(uow, access, body["filename"], message)
    return reply({"messages": []})


@blp.route("/<uuid>/invitations", methods=["POST"])
@policy("learning.learn")
@blp.arguments(InvitationBody)
@blp.response(201, InvitationReply)
@blp.raises(CollaborationNotFound, CollaborationOwnerOnly, CollaborationEnded)
def make_invitation(body: dict[str, Any], uuid: str) -> Reply:
    """A link for one's partners; its token is told this once."""
    given = body["invitation"]
    with unit_of_work() as uow:
        made = invite(uow, me().user_id, uuid, CollaborationRole(given["role"]), given["expires_in_seconds"])
    shape = {
        "uuid": str(made.uuid),
        "token": made.secret,
        "url": f"{runtime().settings.frontend_url.rstrip('/')}/collaborations/join?token={made.secret}",
        "role": made.role,
        "expires_at": timestamp(made.expires_at),
    }
    return reply({"invitation": shape}, status=201)


@blp.route("/<uuid>/invitations/<invitation>", methods=["DELETE"])
@policy("learning.learn")
@blp.response(204)
@blp.raises(CollaborationNotFound, CollaborationOwnerOnly, CollaborationEnded, InvalidInvitation)
def delete_invitation(uuid: str, invitation: str) -> Reply:
    """Withdraws a link; who came by it stays."""
    with unit_of_work() as uow:
        withdraw_invitation(uow, me().user_id, uuid, invitation)
    return no_content()


@blp.route("/<uuid>/participants/<int:participant_id>", methods=["PATCH"])
@policy("learning.learn")
@blp.arguments(ParticipantBody)
@blp.response(200, EmptyReply)
@blp.raises(CollaborationNotFound, CollaborationOwnerOnly, CollaborationEnded, ParticipantNotFound)
def change_participant(body: dict[str, Any], uuid: str, participant_id: int) -> Reply:
    """Lets somebody edit, or only look on."""
    with unit_of_work() as uow:
        set_role(uow, me().user_id, uuid, participant_id, CollaborationRole(body["participant"]["role"]))
    return reply({})


@blp.route("/<uuid>/participants/<int:participant_id>", methods=["DELETE"])
@policy("learning.learn")
@blp.response(204)
@blp.raises(CollaborationNotFound, CollaborationOwnerOnly, CollaborationEnded, ParticipantNotFound)
def delete_participant(uuid: str, participant_id: int) -> Reply:
    """Sends somebody away, as the owner; or goes oneself."""
    with unit_of_work() as uow:
        remove_participant(uow, me().user_id, uuid, participant_id)
    return no_content()


@blp.route("/<uuid>/end", methods=["POST"])
@policy("learning.learn")
@blp.response(200, EmptyReply)
@blp.raises(CollaborationNotFound, CollaborationOwnerOnly, CollaborationEnded)
def end(uuid: str) -> Reply:
    """Ends it for everybody; what was written can still be read."""
    with unit_of_work() as uow:
        end_collaboration(uow, me().user_id, uuid)
    return reply({})


@blp.route("/<uuid>/submit", methods=["POST"])
@policy("learning.learn")
@blp.arguments(HandInBody)
@blp.response(201, SubmissionReply)
@blp.raises(CollaborationNotFound, CollaborationOwnerOnly, CollaborationEnded)
@blp.raises(*HAND_IN_ERRORS)
def submit(body: dict[str, Any], uuid: str) -> Reply:
    """Hands in what is written, as the owner's submission."""
    with unit_of_work() as uow:
        submission = submit_collaboration(uow, me().user_id, uuid, has_passed=body["passed"])
    return reply({"submission": submission}, status=201)


@blp.route("/<uuid>/versions")
@policy("learning.learn")
@blp.response(200, VersionsReply)
@blp.raises(CollaborationNotFound)
def versions(uuid: str) -> Reply:
    """Texts that were kept, newest first."""
    return reply({"versions": versions_of(access_collaboration(me().user_id, uuid))})


@blp.route("/<uuid>/versions/<int:version_id>")
@policy("learning.learn")
@blp.response(200, VersionReply)
@blp.raises(CollaborationNotFound, NotFound)
def version(uuid: str, version_id: int) -> Reply:
    """One of them with its text."""
    return reply({"version": version_shape(access_collaboration(me().user_id, uuid), version_id)})
