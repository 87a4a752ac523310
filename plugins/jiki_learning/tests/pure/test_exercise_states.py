"""The states of an exercise."""

from __future__ import annotations

from itertools import product

import pytest

from jiki_learning.exercise_states import ExerciseFacts, ExerciseState, exercise_state


@pytest.mark.parametrize(
    ("may_start", "is_started", "has_submission", "has_passed", "is_completed", "state"),
    [
        (False, False, False, None, False, ExerciseState.LOCKED),
        (True, False, False, None, False, ExerciseState.UNLOCKED),
        (True, True, False, None, False, ExerciseState.STARTED),
        (True, True, True, None, False, ExerciseState.SUBMITTED),
        (True, True, True, False, False, ExerciseState.FAILED),
        (True, True, True, True, False, ExerciseState.PASSED),
        (True, True, True, True, True, ExerciseState.COMPLETED),
        (True, True, True, False, True, ExerciseState.COMPLETED),
        (True, True, False, None, True, ExerciseState.COMPLETED),
    ],
)
def test_facts_make_one_state(may_start, is_started, has_submission, has_passed, is_completed, state):
    facts = ExerciseFacts(may_start, is_started, is_completed, has_submission, has_passed)
    assert exercise_state(facts) is state


def test_every_combination_has_a_state():
    truth = (False, True)
    for may, started, completed, submitted, passed in product(truth, truth, truth, truth, (None, False, True)):
        assert exercise_state(ExerciseFacts(may, started, completed, submitted, passed)) in ExerciseState
