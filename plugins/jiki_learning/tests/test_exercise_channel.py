"""ExerciseChannel: drafts that survive, syntax at once, tests in a moment; and drafts over REST."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text

from jiki_core.db import db as database
from jiki_core.db import reading
from jiki_core.db.outbox import OutboxEntry
from jiki_core.runtime import runtime_of
from jiki_core.testing import drain_outbox, wait_until
from jiki_core.testing.cable import CableClient, SubscriptionRejected
from jiki_core.testing.pytest_plugin import scaled
from jiki_learning.content.course import ExerciseContent, ExerciseFile, FileRole
from jiki_learning.runner_testing import ScriptedRunner, scripted_runner
from jiki_learning.testing import SampleLearner, course, import_into, lesson, level, make_learner, validated_message

__all__ = ["scripted_runner"]  # a fixture

CHANNEL = "ExerciseChannel"
DRAFT = "lessons/two-lines/draft"
FILES = (
    ExerciseFile("two_lines.py", FileRole.STUB, "one = 1\n"),
    ExerciseFile("two_lines_test.py", FileRole.TEST, "one = 1\ntwo = 2\n"),
)


def learner_of(app: Flask) -> SampleLearner:
    exercise = ExerciseContent("Two lines", "Write two lines.", FILES)
    import_into(app, course(level("one", lesson("two-lines", exercise=exercise), "later")))
    return make_learner(app)


class Desk:
    """A learner at a device: edits, and what is answered, each message checked against the AsyncAPI document."""

    def __init__(self, app: Flask, cable: CableClient) -> None:
        self.app, self.cable = app, cable
        self.subscription = cable.subscribe(CHANNEL, lesson_slug="two-lines")
        self.revision = 0

    def edit(self, code: str) -> dict[str, Any]:
        """One edit; returns its answer."""
        self.revision += 1
        self.subscription.perform("edit", files={"two_lines.py": code}, revision=self.revision)
        saved = self.hear("saved")
        assert saved["revision"] == self.revision
        return saved

    def hear(self, type: str, seconds: float = 10.0) -> dict[str, Any]:
        """The next message of a type."""
        while True:
            message = validated_message(self.app, CHANNEL, self.subscription.receive(seconds))
            if message.get("type") == type or (type == "error" and "error" in message):
                return message

    def heard(self, type: str) -> list[dict[str, Any]]:
        """All messages of a type so far."""
        return [one for one in self.subscription.messages if one.get("type") == type]


@pytest.fixture
def learner(committed_db: Flask) -> Iterator[SampleLearner]:
    yield learner_of(committed_db)
    committed_db.extensions["jiki_learning.live_checks"].forget()


@pytest.fixture
def open_desk(committed_db: Flask, learner: SampleLearner) -> Iterator[Callable[[], Desk]]:
    """Opens another device of the learner."""
    opened: list[CableClient] = []

    def open_one() -> Desk:
        opened.append(CableClient(committed_db, learner.client))
        return Desk(committed_db, opened[-1])

    yield open_one
    for cable in opened:
        cable.close()


@contextmanager
def worker(app: Flask) -> Iterator[None]:
    """Runs jobs as they come, in a thread."""
    is_over = threading.Event()

    def work() -> None:
        while not is_over.wait(0.05):
            drain_outbox(app)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join(20)


def stored_drafts(app: Flask) -> list[str]:
    with app.app_context():
        found = reading().execute(text("select files ->> 'two_lines.py' from learning.exercise_drafts"))
        return list(found.scalars())


def test_without_a_runner_there_are_drafts_and_syntax(committed_db, open_desk):
    desk = open_desk()
    assert desk.hear("ready") == {"type": "ready", "language": "python", "checks": ["syntax"]}
    assert desk.edit("one = (")["syntax_errors"] == [
        {"file": "two_lines.py", "line": 1, "column": 7, "message": "'(' was never closed"}
    ]
    assert desk.edit("one = 1")["syntax_errors"] == []
    with committed_db.app_context():
        jobs = reading().query(OutboxEntry).filter_by(name="learning.check_draft").count()
    assert jobs == 0


def test_versions_count_the_edits_of_all_devices(open_desk):
    one, other = open_desk(), open_desk()
    assert [one.edit("a")["version"], other.edit("b")["version"], one.edit("c")["version"]] == [1, 2, 3]


def test_a_draft_is_restored_on_another_device(committed_db, learner, open_desk):
    open_desk().edit("one = 'draft'")
    assert stored_drafts(committed_db) == []
    restored = open_desk().hear("draft")
    assert (restored["files"], restored["version"]) == ({"two_lines.py": "one = 'draft'"}, 1)
    assert learner.get(DRAFT).expect(200).body["draft"] == {k: restored[k] for k in ("files", "version", "saved_at")}


def test_a_draft_is_written_down_when_the_socket_ends_and_outlives_valkey(committed_db, open_desk):
    desk = open_desk()
    desk.edit("one = 1")
    desk.edit("one = 2")
    desk.cable.close()
    assert stored_drafts(committed_db) == ["one = 2"]
    runtime_of(committed_db).redis.flushdb()
    again = open_desk()
    assert again.hear("draft")["files"] == {"two_lines.py": "one = 2"}
    assert again.edit("one = 3")["version"] == 3


def test_an_older_device_that_ends_later_does_not_win(committed_db, open_desk):
    old, new = open_desk(), open_desk()
    old.edit("old")
    new.edit("new")
    new.cable.close()
    old.cable.close()
    assert stored_drafts(committed_db) == ["new"]


def test_a_draft_is_its_learners_alone(committed_db, open_desk):
    open_desk().edit("secret")
    assert make_learner(committed_db).get(DRAFT).expect(200).body["draft"] is None


def test_the_tests_run_when_somebody_pauses(committed_db, scripted_runner, open_desk):
    desk = open_desk()
    assert desk.hear("ready")["checks"] == ["syntax", "tests"]
    with worker(committed_db):
        saved = desk.edit("one = 1")
        assert desk.hear("checking")["version"] == saved["version"]
        checked = desk.hear("checked")
    assert (checked["version"], checked["outcome"]) == (saved["version"], "failed")
    assert [one["status"] for one in checked["tests"]] == ["passed", "failed"]
    assert checked["summary"]["failed"] == 1


def test_a_newer_edit_ends_the_check_of_an_older_one(committed_db, scripted_runner, open_desk):
    desk = open_desk()
    with worker(committed_db), scripted_runner.held():
        desk.edit("one = 1")
        desk.hear("checking")
        newest = desk.edit("one = 1\ntwo = 2")["version"]
        assert desk.hear("checking")["version"] == newest
        assert desk.heard("checked") == []
        scripted_runner._open.set()
        assert desk.hear("checked")["outcome"] == "passed"
    assert [one["version"] for one in desk.heard("checked")] == [newest]
    assert scripted_runner.most_running == 1


def test_a_runner_that_does_not_answer_is_told(committed_db, scripted_runner, open_desk):
    scripted_runner.is_answering = False
    desk = open_desk()
    with worker(committed_db):
        desk.edit("one = 1")
        assert desk.hear("checked")["outcome"] == "unavailable"


def test_a_check_stores_nothing(committed_db, scripted_runner, open_desk, count_rows):
    desk = open_desk()
    with worker(committed_db):
        desk.edit("one = 1")
        desk.hear("checked")
    assert count_rows("test_runs") == count_rows("exercise_submissions") == count_rows("exercise_drafts") == 0


class Watch:
    """What a conversation's thread does with the database."""

    def __init__(self) -> None:
        self.held = 0
        self.writes: list[str] = []

    def on_checkout(self, *_: Any) -> None:
        if threading.current_thread().name == "cable-test-client":
            self.held += 1

    def on_checkin(self, *_: Any) -> None:
        if threading.current_thread().name == "cable-test-client":
            self.held -= 1

    def on_statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if threading.current_thread().name == "cable-test-client" and not statement.lower().startswith("select"):
            self.writes.append(statement)


@contextmanager
def watched(app: Flask) -> Iterator[Watch]:
    watch = Watch()
    with app.app_context():
        engine = database.engine
    listeners = (
        (engine.pool, "checkout", watch.on_checkout),
        (engine.pool, "checkin", watch.on_checkin),
        (engine, "before_cursor_execute", watch.on_statement),
    )
    for target, name, listener in listeners:
        event.listen(target, name, listener)
    try:
        yield watch
    finally:
        for target, name, listener in listeners:
            event.remove(target, name, listener)


def type_on(app: Flask, runner: ScriptedRunner, desk: Desk, seconds: float) -> None:
    """Ten keys a second for a while: nothing is written, no connection stays taken, one check at a time, the last wins."""
    tick, end = threading.Event(), time.monotonic() + seconds
    with worker(app), watched(app) as watch:
        version, code = 0, ""
        while time.monotonic() < end:
            code += "# \n"
            version = desk.edit(code)["version"]
            assert watch.held == 0, "a keystroke keeps a connection"
            tick.wait(0.1)
        assert watch.writes == []
        last = desk.edit(code + "one = 1\ntwo = 2")["version"]
        wait_until(lambda: any(one["version"] == last for one in desk.heard("checked")), what="the last edit's result")
    assert last == version + 1
    checked = desk.heard("checked")
    assert (checked[-1]["version"], checked[-1]["outcome"]) == (last, "passed")
    assert [one["version"] for one in checked] == sorted({one["version"] for one in checked})
    assert len(checked) <= seconds / 3 + 2, "checks come at most every three seconds, and once more at the end"
    assert runner.most_running == 1


def test_ten_keys_a_second_cost_no_connection_and_one_check_at_a_time(committed_db, scripted_runner, open_desk):
    type_on(committed_db, scripted_runner, open_desk(), seconds=2.5)


@pytest.mark.soak
def test_the_same_for_a_minute(committed_db, scripted_runner, open_desk):
    type_on(committed_db, scripted_runner, open_desk(), seconds=scaled(60, least=10))


@pytest.mark.parametrize("slug", ["later", "nowhere"])
def test_a_lesson_that_is_locked_or_unknown_is_refused(committed_db, learner, slug):
    with CableClient(committed_db, learner.client) as cable, pytest.raises(SubscriptionRejected):
        cable.subscribe(CHANNEL, lesson_slug=slug)


def test_what_could_not_be_handed_in_is_no_draft(open_desk):
    desk = open_desk()
    files = {f"{number}.py": "" for number in range(21)}
    desk.subscription.perform("edit", files=files, revision=1)
    assert desk.hear("error")["error"]["type"] == "draft_too_large"
    desk.subscription.perform("edit", files={"a.py": 3}, revision=1)
    assert desk.hear("error")["error"]["type"] == "validation_error"


def test_a_draft_over_rest_is_kept_and_seen_by_sockets(db):
    learner = learner_of(db)
    assert learner.get(DRAFT).expect(200).body["draft"] is None
    for number in (1, 2):
        body = {"files": {"two_lines.py": str(number)}}
        saved = learner.client.put(f"internal/{DRAFT}", body).expect(200).body["draft"]
        assert (saved["files"], saved["version"]) == ({"two_lines.py": str(number)}, number)
    learner.client.put("internal/lessons/later/draft", {"files": {}}).expect(422, "lesson_not_unlocked")
    learner.client.put(f"internal/{DRAFT}", {"files": {"a": "x" * 100_001}}).expect(422, "draft_too_large")


def test_without_valkey_a_draft_is_in_postgresql(app_with):
    app = app_with("auth", "learning", settings={"REDIS_URL": "redis://127.0.0.1:1/0"})
    learner = learner_of(app)
    for number in (1, 2):
        body = {"files": {"two_lines.py": str(number)}}
        saved = learner.client.put(f"internal/{DRAFT}", body).expect(200).body["draft"]
        assert (saved["files"], saved["version"]) == ({"two_lines.py": str(number)}, number)
