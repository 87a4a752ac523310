"""The events of contract.md 2.1, as the wire has them."""

from __future__ import annotations

import pytest

from jiki_learning.unlocks import ChallengeUnlocked, ConceptUnlocked, LessonUnlocked, Unlock


@pytest.mark.parametrize(
    ("unlock", "told"),
    [
        (LessonUnlocked("maze"), {"type": "lesson_unlocked", "data": {"lesson_slug": "maze"}}),
        (ConceptUnlocked("loops"), {"type": "concept_unlocked", "data": {"concept_slug": "loops"}}),
        (
            ChallengeUnlocked("zoo", "zoo-exercise"),
            {"type": "challenge_unlocked", "data": {"challenge": {"slug": "zoo", "exercise_slug": "zoo-exercise"}}},
        ),
    ],
)
def test_an_unlock_is_told_by_its_slugs(unlock: Unlock, told: dict[str, object]) -> None:
    assert unlock.as_json() == told
