"""CollaborationChannel on sockets: syncing, roles, removal, the end, pauses, base clients; every message is validated."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask
from pycrdt import Doc, Text

from jiki_core.cable.protocol import Dialect
from jiki_core.db import db as database
from jiki_core.db import unit_of_work
from jiki_core.plugins.pausing import pause_plugin, resume_plugin
from jiki_core.runtime import runtime_of
from jiki_core.testing import drain_outbox, wait_until
from jiki_core.testing.cable import CableClient, CableSubscription, SubscriptionRejected
from jiki_learning.content.course import ExerciseContent, ExerciseFile, FileRole
from jiki_learning.runner_testing import ScriptedRunner, scripted_runner
from jiki_learning.shared_text import CONTENT, NOTHING, SyncKind, SyncMessage
from jiki_learning.testing import (
    SampleLearner,
    course,
    import_into,
    lesson,
    level,
    make_learner,
    validated_message,
)

__all__ = ["scripted_runner"]  # a fixture

PATH = "internal/collaborations"
CHANNEL = "CollaborationChannel"


class Seat:
    """Somebody at a socket, with a Yjs document."""

    def __init__(self, app: Flask, subscription: CableSubscription) -> None:
        self.app = app
        self.subscription = subscription
        self.document: Doc[Text] = Doc()
        self.content: Text = self.document.get(CONTENT, type=Text)
        self.refs = 0

    def say(self, kind: SyncKind, payload: bytes, filename: str = "solution.js", **more: Any) -> None:
        message = SyncMessage(kind, payload).encode()
        self.subscription.perform("sync", filename=filename, message=message, **more)

    def ask(self) -> None:
        self.say(SyncKind.STEP1, self.document.get_state())

    def write(self, text: str) -> None:
        """Types at the beginning, and waits until that is stored."""
        before = self.document.get_state()
        self.content.insert(0, text)
        self.refs += 1
        self.say(SyncKind.UPDATE, self.document.get_update(before), ref=self.refs)
        assert self.hear("saved")["ref"] == self.refs

    def hear(self, type: str, seconds: float = 8.0) -> dict[str, Any]:
        """The next message of a type; what comes before it is taken in."""
        while True:
            message = validated_message(self.app, CHANNEL, self.subscription.receive(seconds))
            if message.get("type") == "sync":
                told = SyncMessage.decode(message["message"])
                if told.kind is not SyncKind.STEP1:
                    self.document.apply_update(told.payload)
            if message.get("type") == type or (type == "error" and "error" in message):
                return message

    def reads(self, text: str) -> None:
        """Waits until the document is that."""
        deadline = time.monotonic() + 8
        while str(self.content) != text:
            assert time.monotonic() < deadline, str(self.content)
            self.hear("sync")


class Table:
    """A collaboration and sockets of its participants."""

    def __init__(self, app: Flask, sockets: ExitStack) -> None:
        self.app, self._sockets = app, sockets
        tests = ExerciseFile("solution_test.js", FileRole.TEST, "turn()\nmove()\n")
        stub = ExerciseFile("solution.js", FileRole.STUB, "move()")
        exercise = ExerciseContent("Moves", "Move.", (stub, tests))
        import_into(app, course(level("level-1", lesson("lesson-1-1", exercise=exercise), "lesson-1-2")))
        self.owner = make_learner(app)
        self.owner.start("lesson-1-1").expect(200)
        files = [{"filename": "solution.js", "code": "move()"}]
        body = {"collaboration": {"lesson_slug": "lesson-1-1", "files": files}}
        self.uuid: str = self.owner.client.post(PATH, body).expect(201).body["collaboration"]["uuid"]

    def partner(self, role: str = "edit") -> SampleLearner:
        invitation = {"invitation": {"role": role}}
        link = self.owner.client.post(f"{PATH}/{self.uuid}/invitations", invitation).expect(201).body["invitation"]
        made = make_learner(self.app)
        made.client.post(f"{PATH}/join", {"token": link["token"]}).expect(200)
        return made

    def sit(self, who: SampleLearner, dialect: Dialect = Dialect.EXTENDED) -> Seat:
        """Subscribes and syncs once."""
        client = self._sockets.enter_context(CableClient(self.app, who.client, dialect=dialect))
        seat = Seat(self.app, client.subscribe(CHANNEL, uuid=self.uuid))
        assert seat.hear("opened")["filenames"] == ["solution.js"]
        seat.ask()
        seat.hear("sync")
        return seat

    def id_of(self, who: SampleLearner) -> int:
        shown = who.client.get(f"{PATH}/{self.uuid}").expect(200).body["collaboration"]["participants"]
        return next(one["id"] for one in shown if one["is_you"])

    def remove(self, who: SampleLearner) -> None:
        self.owner.client.delete(f"{PATH}/{self.uuid}/participants/{self.id_of(who)}").expect(204)

    def text(self) -> str:
        shown = self.owner.client.get(f"{PATH}/{self.uuid}").expect(200).body["collaboration"]
        content: str = shown["documents"][0]["content"]
        return content


@pytest.fixture
def table(committed_db: Flask) -> Iterator[Table]:
    with ExitStack() as sockets:
        yield Table(committed_db, sockets)


def test_what_one_types_the_other_reads(table):
    ada, bob = table.sit(table.owner), table.sit(table.partner())
    ada.write("turn()\n")
    bob.reads("turn()\nmove()")
    bob.write("// Bob\n")
    ada.reads("// Bob\nturn()\nmove()")
    assert table.text() == "// Bob\nturn()\nmove()"


def test_a_message_comes_once_although_the_relay_sends_it_again(table):
    ada, bob = table.sit(table.owner), table.sit(table.partner())
    ada.write("x")
    bob.reads("xmove()")
    drain_outbox(table.app)
    ada.write("y")
    bob.reads("yxmove()")
    updates = [one for one in bob.subscription.messages if one.get("participant_id") == table.id_of(table.owner)]
    assert len(updates) == 2


def test_who_comes_back_gets_what_they_missed_and_gives_what_they_kept(table):
    ada, partner = table.sit(table.owner), table.partner()
    bob = table.sit(partner)
    bob.content.insert(0, "offline ")
    ada.write("online ")
    again = table.sit(partner)
    again.document.apply_update(bob.document.get_update())
    again.ask()
    step1 = again.hear("sync")
    while SyncMessage.decode(step1["message"]).kind is not SyncKind.STEP1:
        step1 = again.hear("sync")
    again.say(SyncKind.STEP2, again.document.get_update(SyncMessage.decode(step1["message"]).payload), ref=1)
    again.hear("saved")
    wait_until(lambda: table.text() == str(again.content), what="the merged text")
    assert sorted(table.text().split()) == ["move()", "offline", "online"]
    ada.reads(table.text())


def test_a_viewer_hears_and_is_refused(table):
    ada, bob = table.sit(table.owner), table.sit(table.partner("view"))
    ada.write("x")
    bob.reads("xmove()")
    before = bob.document.get_state()
    bob.content.insert(0, "no ")
    bob.say(SyncKind.UPDATE, bob.document.get_update(before), ref=1)
    assert bob.hear("error")["error"]["type"] == "collaboration_read_only"
    bob.say(SyncKind.STEP2, NOTHING, ref=2)
    bob.hear("saved")
    assert table.text() == "xmove()"


def test_a_role_changes_at_once(table):
    partner = table.partner("view")
    bob = table.sit(partner)
    role = {"participant": {"role": "edit"}}
    table.owner.client.patch(f"{PATH}/{table.uuid}/participants/{table.id_of(partner)}", role).expect(200)
    assert bob.hear("role_changed")["role"] == "edit"
    bob.write("yes ")
    assert table.text() == "yes move()"


def test_who_is_removed_sees_nothing_more_within_a_second(table):
    removed, staying = table.partner(), table.partner()
    ada, bob, eve = table.sit(table.owner), table.sit(staying), table.sit(removed)
    table.remove(removed)
    removed_at = time.monotonic()
    for seat in (ada, bob):
        seat.hear("moved")
        seat.subscription.perform("follow")
        seat.hear("opened")
    assert time.monotonic() - removed_at < 1.0
    eve.hear("moved")
    heard = len(eve.subscription.messages)
    ada.write("secret ")
    bob.reads("secret move()")
    bob.subscription.whisper(cursor=3)
    wait_until(lambda: {"cursor": 3} in ada.subscription.messages, what="the cursor")
    assert len(eve.subscription.messages) == heard
    eve.subscription.perform("follow")
    assert eve.hear("closed")["reason"] == "removed"
    before = eve.document.get_state()
    eve.content.insert(0, "graffiti ")
    eve.say(SyncKind.UPDATE, eve.document.get_update(before), ref=1)
    eve.hear("closed")
    assert table.text() == "secret move()"
    with pytest.raises(SubscriptionRejected):
        table.sit(removed)


def test_a_client_that_does_not_hear_of_a_move_is_moved_by_what_it_says(table):
    removed, staying = table.partner(), table.partner()
    bob, ada = table.sit(staying), table.sit(table.owner)
    table.remove(removed)
    ada.subscription.perform("follow")
    ada.hear("opened")
    ada.write("x")
    before = bob.document.get_state()
    bob.content.insert(0, "y")
    bob.say(SyncKind.UPDATE, bob.document.get_update(before), ref=1)
    bob.hear("moved")
    bob.hear("opened")
    bob.ask()
    bob.say(SyncKind.STEP2, bob.document.get_update(before), ref=2)
    bob.hear("saved")
    bob.ask()
    bob.reads(table.text())
    assert sorted(table.text()) == sorted("xymove()")


def test_the_end_is_told_and_nothing_is_taken_any_more(table):
    partner = table.partner()
    bob = table.sit(partner)
    table.owner.client.post(f"{PATH}/{table.uuid}/end").expect(200)
    assert bob.hear("closed")["reason"] == "ended"
    bob.ask()
    assert bob.hear("closed")["reason"] == "ended"
    with pytest.raises(SubscriptionRejected):
        table.sit(partner)


def test_participants_are_told_of_who_comes_and_of_what_is_handed_in(table):
    ada = table.sit(table.owner)
    partner = table.partner()
    drain_outbox(table.app)
    assert ada.hear("joined")["participant_id"] == table.id_of(partner)
    submission = table.owner.client.post(f"{PATH}/{table.uuid}/submit", {}).expect(201).body["submission"]
    assert ada.hear("submitted")["submission_uuid"] == submission["uuid"]


def test_all_see_how_the_tests_of_what_was_handed_in_went(committed_db, scripted_runner: ScriptedRunner):
    with ExitStack() as sockets:
        table = Table(committed_db, sockets)
        ada, bob = table.sit(table.owner), table.sit(table.partner())
        submission = table.owner.client.post(f"{PATH}/{table.uuid}/submit", {}).expect(201).body["submission"]
        drain_outbox(committed_db)
        for seat in (ada, bob):
            tested = seat.hear("tested")
            assert (tested["submission_uuid"], tested["state"]) == (submission["uuid"], "finished")
            assert tested["outcome"] == "failed"
            assert tested["summary"]["failed"] == 1


def test_while_the_plugin_is_paused_nothing_is_taken_and_after_it_nothing_is_missing(table):
    ada, bob = table.sit(table.owner), table.sit(table.partner())
    with table.app.app_context(), unit_of_work() as uow:
        pause_plugin(uow, "learning", reason="a test")
    wait_until(lambda: runtime_of(table.app).plugins.is_paused("learning"), what="the pause")
    before = ada.document.get_state()
    ada.content.insert(0, "x")
    update = ada.document.get_update(before)
    ada.say(SyncKind.UPDATE, update, ref=1)
    assert ada.hear("error")["error"]["type"] == "plugin_paused"
    with table.app.app_context(), unit_of_work() as uow:
        resume_plugin(uow, "learning")
    wait_until(lambda: not runtime_of(table.app).plugins.is_paused("learning"), what="the end of the pause")
    ada.say(SyncKind.UPDATE, update, ref=2)
    ada.hear("saved")
    bob.reads("xmove()")


def test_strangers_are_rejected(table):
    stranger = make_learner(table.app)
    for uuid in (table.uuid, "junk"):
        with CableClient(table.app, stranger.client) as client, pytest.raises(SubscriptionRejected):
            client.subscribe(CHANNEL, uuid=uuid)


def test_a_base_protocol_client_without_presence_or_history_takes_part(table):
    ada, bob = table.sit(table.owner), table.sit(table.partner(), Dialect.BASE)
    ada.write("x")
    bob.reads("xmove()")
    bob.write("y")
    ada.reads("yxmove()")


@pytest.mark.parametrize(
    ("data", "symbol"),
    [
        ({"filename": "solution.js", "message": "?"}, "invalid_update"),
        ({"filename": "solution.js", "message": SyncMessage(SyncKind.UPDATE, b"\xff").encode()}, "invalid_update"),
        ({"filename": "other.js", "message": SyncMessage(SyncKind.STEP1, b"\x00").encode()}, "document_not_found"),
        (
            {"filename": "solution.js", "message": SyncMessage(SyncKind.UPDATE, b"x" * 33_000).encode()},
            "update_too_large",
        ),
        ({"filename": "solution.js"}, "validation_error"),
        ({"filename": 1, "message": ""}, "validation_error"),
    ],
)
def test_what_cannot_be_taken_is_refused(table, data, symbol):
    ada = table.sit(table.owner)
    ada.subscription.perform("sync", **data)
    assert ada.hear("error")["error"]["type"] == symbol


def test_too_many_messages_are_refused(table):
    ada = table.sit(table.owner)
    for _ in range(200):
        ada.subscription.perform("follow")
    assert ada.hear("error")["error"]["type"] == "rate_limited"


def test_an_idle_socket_holds_no_database_connection(table):
    seats = [table.sit(table.owner), table.sit(table.partner())]
    seats[0].write("x")
    seats[1].reads("xmove()")
    with table.app.app_context():
        wait_until(lambda: database.engine.pool.checkedout() == 0, what="all connections given back")  # type: ignore[attr-defined]  # a QueuePool
