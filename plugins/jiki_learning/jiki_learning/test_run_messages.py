"""What is said of test runs on sockets, and on which streams."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


def lesson_stream(user_id: int, lesson_id: int) -> str:
    """The test runs of a learner's submissions for a lesson."""
    return f"submissions/{user_id}/lesson/{lesson_id}"


def challenge_stream(user_id: int, challenge_id: int) -> str:
    """Likewise for a challenge."""
    return f"submissions/{user_id}/challenge/{challenge_id}"


@dataclass(frozen=True, slots=True)
class RunQueued:
    """The run waits; `position` 1 is next. Said again whenever those before it are fewer."""

    submission_uuid: str
    test_run_uuid: str
    position: int
    type: Literal["queued"] = "queued"


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run has begun."""

    submission_uuid: str
    test_run_uuid: str
    type: Literal["running"] = "running"


@dataclass(frozen=True, slots=True)
class RunTests:
    """The tests that will run, in their order: id, name, group and task of each."""

    submission_uuid: str
    test_run_uuid: str
    tests: list[dict[str, Any]]
    type: Literal["tests"] = "tests"


@dataclass(frozen=True, slots=True)
class RunResult:
    """One test is over: a member of `tests` of the REST read."""

    submission_uuid: str
    test_run_uuid: str
    result: dict[str, Any]
    type: Literal["result"] = "result"


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run is over; `state` is finished, superseded, cancelled or unavailable, `outcome` there is when finished.

    `breakage` says why the solution could not be loaded. Details of each test are at the REST read.
    """

    submission_uuid: str
    test_run_uuid: str
    state: str
    outcome: str | None = None
    summary: dict[str, Any] | None = None
    message: str = ""
    breakage: dict[str, Any] | None = None
    limits_hit: list[str] | None = None
    type: Literal["finished"] = "finished"


RunMessage = RunQueued | RunStarted | RunTests | RunResult | RunFinished


def as_message(said: RunMessage) -> dict[str, Any]:
    """As it is sent."""
    return asdict(said)
