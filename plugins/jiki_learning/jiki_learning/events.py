"""Domain events of learning: public API for other plugins, stored in the outbox."""

from __future__ import annotations

from dataclasses import dataclass

from jiki_core.events import Event


@dataclass(frozen=True)
class LessonCompleted(Event):
    """A learner completed a lesson for the first time. Emitted once per learner and lesson, by `complete_lesson`."""

    name = "learning.lesson_completed"

    user_id: int
    course_slug: str
    level_slug: str
    lesson_slug: str
    #: ISO 8601, UTC
    completed_at: str


@dataclass(frozen=True)
class LevelCompleted(Event):
    """A learner's level became complete: by its last compulsory lesson, or because the curriculum was changed.

    Emitted again when a level that was reopened is completed again.
    """

    name = "learning.level_completed"

    user_id: int
    course_slug: str
    level_id: int
    level_slug: str


@dataclass(frozen=True)
class CourseCompleted(Event):
    """All levels of a course are complete. Emitted once per enrolment."""

    name = "learning.course_completed"

    user_id: int
    course_slug: str


@dataclass(frozen=True)
class FirstLessonStarted(Event):
    """A learner started a lesson for the first time ever."""

    name = "learning.first_lesson_started"

    user_id: int
    lesson_slug: str


@dataclass(frozen=True)
class ChallengeCompleted(Event):
    """A learner completed a challenge for the first time. Emitted by `complete_challenge`."""

    name = "learning.challenge_completed"

    user_id: int
    challenge_slug: str
    exercise_slug: str


@dataclass(frozen=True)
class ClientEventTracked(Event):
    """The web client told what a learner met, for analytics (contract.md 2.5, `internal/events`). Emitted by `track`.

    `event` is premium_feature_blocked or premium_modal_shown; the rest is what the client said of it.
    """

    name = "learning.client_event_tracked"

    user_id: int
    event: str
    feature: str | None = None
    trigger: str | None = None
    context_type: str | None = None
    context_id: str | None = None
    context_slug: str | None = None
    context_uuid: str | None = None
