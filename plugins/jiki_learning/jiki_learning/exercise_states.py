"""The states of an exercise for one learner, derived from what is stored.

    locked → unlocked → started → submitted → passed | failed → completed

A later submission leads from passed or failed back to submitted, and on. Nothing leads back from completed: practice
afterwards is practice. Whether the tests passed is known when the client or a test run on the server says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ExerciseState(StrEnum):
    #: earlier lessons, or the lesson that opens a challenge, are not complete
    LOCKED = "locked"
    #: may be started
    UNLOCKED = "unlocked"
    STARTED = "started"
    #: handed in, outcome of the tests not known
    SUBMITTED = "submitted"
    PASSED = "passed"
    FAILED = "failed"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class ExerciseFacts:
    """What is stored of one learner's exercise. `has_passed` is of the latest submission, None when nobody told."""

    may_start: bool
    is_started: bool = False
    is_completed: bool = False
    has_submission: bool = False
    has_passed: bool | None = None


def exercise_state(facts: ExerciseFacts) -> ExerciseState:
    """Every combination of facts has exactly one state; what is further along wins."""
    if facts.is_completed:
        return ExerciseState.COMPLETED
    if facts.has_submission:
        if facts.has_passed is None:
            return ExerciseState.SUBMITTED
        return ExerciseState.PASSED if facts.has_passed else ExerciseState.FAILED
    if facts.is_started:
        return ExerciseState.STARTED
    return ExerciseState.UNLOCKED if facts.may_start else ExerciseState.LOCKED
