"""Reads of test runs: whose they are, how many wait, and what a learner is told of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from jiki_core.db import reading
from jiki_core.errors import NotFound
from jiki_core.http import timestamp
from jiki_learning.catalogue import CatalogueChallenge, CatalogueLesson
from jiki_learning.content.course import ExerciseFile, FileRole
from jiki_learning.contracts import ExerciseMaterial
from jiki_learning.exercise_material import material_of
from jiki_learning.test_run_messages import (
    RunFinished,
    RunMessage,
    RunQueued,
    RunStarted,
    challenge_stream,
    lesson_stream,
)
from jiki_learning.test_run_states import TestRunState

LATEST = "latest"

# A learner's row is of a lesson or of a challenge; the other columns are null.
_RUN = """
    select run.id, run.uuid, run.state, run.outcome, run.language, run.decides, run.report,
           run.queued_at, run.started_at, run.finished_at,
           s.id as submission_id, s.uuid as submission_uuid,
           coalesce(ul.user_id, uc.user_id) as user_id, ul.lesson_id, uc.challenge_id
    from learning.test_runs run
    join learning.exercise_submissions s on s.id = run.submission_id
    left join learning.user_lessons ul on ul.id = s.user_lesson_id
    left join learning.user_challenges uc on uc.id = s.user_challenge_id
"""
_BY_ID = text(f"{_RUN} where run.id = :id")
_OF_SUBMISSION = text(f"{_RUN} where s.id = :submission_id order by run.id desc limit 1")
_WAITING = text(f"{_RUN} where run.state = 'queued' order by run.id limit :count")
_OF_LESSON = text(f"{_RUN} where ul.user_id = :user_id and ul.lesson_id = :target_id order by run.id desc limit 1")
_OF_CHALLENGE = text(
    f"{_RUN} where uc.user_id = :user_id and uc.challenge_id = :target_id order by run.id desc limit 1"
)
_POSITION = text("select count(*) from learning.test_runs where state = 'queued' and id <= :id")
_STATE = text("select state from learning.test_runs where id = :id")
_SUBMISSION = {
    "lesson": text("""
        select s.id from learning.exercise_submissions s join learning.user_lessons mine on mine.id = s.user_lesson_id
        where mine.user_id = :user_id and mine.lesson_id = :target_id
          and (cast(:uuid as uuid) is null or s.uuid = :uuid)
        order by s.id desc limit 1
    """),
    "challenge": text("""
        select s.id from learning.exercise_submissions s
        join learning.user_challenges mine on mine.id = s.user_challenge_id
        where mine.user_id = :user_id and mine.challenge_id = :target_id
          and (cast(:uuid as uuid) is null or s.uuid = :uuid)
        order by s.id desc limit 1
    """),
}
_FILES = text("""
    select file.path, file.role, file.content, e.tests_decide
    from learning.exercises e join learning.exercise_files file on file.exercise_id = e.id
    where e.lesson_id = :lesson_id or e.challenge_id = :challenge_id
    order by file.position
""")
_SUBMITTED = text("""
    select f.filename, t.content from learning.submission_files f
    join learning.file_texts t on t.digest = f.digest
    where f.submission_id = :submission_id
""")


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A test run with whose it is. Exactly one of `lesson_id` and `challenge_id` is not None."""

    id: int
    uuid: UUID
    state: TestRunState
    outcome: str | None
    language: str
    decides: bool
    report: dict[str, Any] | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    submission_id: int
    submission_uuid: UUID
    user_id: int
    lesson_id: int | None
    challenge_id: int | None

    @property
    def stream(self) -> str:
        """Where its messages go."""
        if self.lesson_id is not None:
            return lesson_stream(self.user_id, self.lesson_id)
        return challenge_stream(self.user_id, self.challenge_id or 0)

    def at_position(self, position: int) -> RunQueued:
        """That it waits, and how many wait up to it."""
        return RunQueued(str(self.submission_uuid), str(self.uuid), position)

    def message(self) -> RunMessage:
        """Its present state in one message; of a queued one, its position is counted."""
        if self.state is TestRunState.QUEUED:
            return self.at_position(position_of(self.id))
        submission, run = str(self.submission_uuid), str(self.uuid)
        if self.state is TestRunState.RUNNING:
            return RunStarted(submission, run)
        report = self.report or {}
        return RunFinished(
            submission,
            run,
            self.state.value,
            self.outcome,
            summary=report.get("summary"),
            message=report.get("message", ""),
            breakage=report.get("breakage"),
            limits_hit=report.get("limits_hit"),
        )


@dataclass(frozen=True, slots=True)
class RunnableExercise:
    """An exercise's files by role, and whether its tests decide."""

    material: ExerciseMaterial
    tests_decide: bool


def find_run(test_run_id: int) -> StoredRun | None:
    """None for one whose submission is gone, with its learner for example."""
    return _stored(reading().execute(_BY_ID, {"id": test_run_id}).one_or_none())


def latest_run_of(submission_id: int) -> StoredRun | None:
    return _stored(reading().execute(_OF_SUBMISSION, {"submission_id": submission_id}).one_or_none())


def latest_run_in(user_id: int, target: CatalogueLesson | CatalogueChallenge) -> StoredRun | None:
    """The newest run of all the learner's submissions for a lesson or challenge."""
    statement = _OF_LESSON if isinstance(target, CatalogueLesson) else _OF_CHALLENGE
    return _stored(reading().execute(statement, {"user_id": user_id, "target_id": target.id}).one_or_none())


def waiting_runs(count: int) -> list[StoredRun]:
    """Those at the head of the queue, in its order."""
    return [run for row in reading().execute(_WAITING, {"count": count}) if (run := _stored(row)) is not None]


def position_of(test_run_id: int) -> int:
    """How many runs wait up to this one: 1 for the next."""
    return int(reading().execute(_POSITION, {"id": test_run_id}).scalar_one())


def state_of(test_run_id: int) -> TestRunState | None:
    found = reading().execute(_STATE, {"id": test_run_id}).scalar_one_or_none()
    return None if found is None else TestRunState(found)


def find_submission_id(user_id: int, target: CatalogueLesson | CatalogueChallenge, uuid: str) -> int:
    """Of a learner's submission by its UUID or the word `latest`. Raises NotFound."""
    try:
        wanted = None if uuid == LATEST else UUID(uuid)
    except ValueError:
        raise NotFound() from None
    statement = _SUBMISSION["lesson" if isinstance(target, CatalogueLesson) else "challenge"]
    whose = {"user_id": user_id, "target_id": target.id, "uuid": wanted}
    found: int | None = reading().execute(statement, whose).scalar_one_or_none()
    if found is None:
        raise NotFound()
    return found


def submission_run(user_id: int, target: CatalogueLesson | CatalogueChallenge, uuid: str) -> StoredRun:
    """The newest run of a submission. Raises NotFound for a submission without one."""
    run = latest_run_of(find_submission_id(user_id, target, uuid))
    if run is None:
        raise NotFound()
    return run


def runnable_exercise(*, lesson_id: int | None = None, challenge_id: int | None = None) -> RunnableExercise | None:
    """What of a lesson's or challenge's exercise can be run; None when the client holds its texts."""
    rows = reading().execute(_FILES, {"lesson_id": lesson_id, "challenge_id": challenge_id}).all()
    if not rows:
        return None
    files = [ExerciseFile(row.path, FileRole(row.role), row.content) for row in rows]
    return RunnableExercise(material_of("", files), rows[0].tests_decide)


def submitted_texts(submission_id: int) -> dict[str, str]:
    """File name → text."""
    return {row.filename: row.content for row in reading().execute(_SUBMITTED, {"submission_id": submission_id})}


def run_shape(run: StoredRun) -> dict[str, Any]:
    """TestRun as REST tells it."""
    report = run.report or {}
    return {
        "uuid": str(run.uuid),
        "submission_uuid": str(run.submission_uuid),
        "state": run.state.value,
        "position": position_of(run.id) if run.state is TestRunState.QUEUED else None,
        "outcome": run.outcome,
        "decides": run.decides,
        "language": run.language,
        "queued_at": timestamp(run.queued_at),
        "started_at": timestamp(run.started_at),
        "finished_at": timestamp(run.finished_at),
        "tests": report.get("tests", []),
        "summary": report.get("summary"),
        "message": report.get("message", ""),
        "breakage": report.get("breakage"),
        "output": report.get("output", ""),
        "limits_hit": report.get("limits_hit", []),
        "duration_ms": report.get("duration_ms"),
    }


def _stored(row: Any) -> StoredRun | None:
    if row is None:
        return None
    values = dict(row._mapping)
    return StoredRun(**{**values, "state": TestRunState(values["state"])})
