"""What completing a lesson opens for the learner, as the wire tells it in `meta.events` (contract.md 2.1): lessons first,
then concepts, then the challenge.

These are *unlocks*; the domain events of the outbox are in `events.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LessonUnlocked:
    lesson_slug: str

    def as_json(self) -> dict[str, Any]:
        return {"type": "lesson_unlocked", "data": {"lesson_slug": self.lesson_slug}}


@dataclass(frozen=True, slots=True)
class ConceptUnlocked:
    concept_slug: str

    def as_json(self) -> dict[str, Any]:
        return {"type": "concept_unlocked", "data": {"concept_slug": self.concept_slug}}


@dataclass(frozen=True, slots=True)
class ChallengeUnlocked:
    challenge_slug: str
    exercise_slug: str

    def as_json(self) -> dict[str, Any]:
        challenge = {"slug": self.challenge_slug, "exercise_slug": self.exercise_slug}
        return {"type": "challenge_unlocked", "data": {"challenge": challenge}}


Unlock = LessonUnlocked | ConceptUnlocked | ChallengeUnlocked
