"""The events of contract.md 2.1, as the wire has them."""

from __future__ import annotations

from jiki_learning.unlocks import ChallengeUnlocked, ConceptUnlocked, LessonUnlocked, Unlock, in_wire_order


def test_unlocks_are_told_lessons_first_then_concepts_then_the_challenge() -> None:
    unlocks: list[Unlock] = [
        ChallengeUnlocked("mini-golf", "mini-golf-exercise"),
        ConceptUnlocked("variables"),
        ConceptUnlocked("scenarios"),
        LessonUnlocked("umbrella"),
    ]
    assert [unlock.as_json() for unlock in in_wire_order(unlocks)] == [
        {"type": "lesson_unlocked", "data": {"lesson_slug": "umbrella"}},
        {"type": "concept_unlocked", "data": {"concept_slug": "variables"}},
        {"type": "concept_unlocked", "data": {"concept_slug": "scenarios"}},
        {
            "type": "challenge_unlocked",
            "data": {"challenge": {"slug": "mini-golf", "exercise_slug": "mini-golf-exercise"}},
        },
    ]
