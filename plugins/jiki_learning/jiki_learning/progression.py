"""The rules of progression (contract.md 3.7 and section 1) as pure functions over facts: what may be
started, what completing opens, what the dashboard lists.

Nothing here points at "the current lesson": everything is derived from which rows exist and which are
complete, so no pointer can go stale. Curriculum edits may leave rows behind the facts (the last open
lesson of a level moved away, a level added at the end); `settle` says what is overdue, and every rule
settles first. That is why nobody is refused for a level that waits to be completed: it completes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from jiki_learning.errors import LessonInProgress, LessonNotFound, LessonNotUnlocked, UserLevelNotFound


class Progress(StrEnum):
    """How far a learner's row of a level or a lesson has come. No row: locked, or next in line."""

    STARTED = "started"
    COMPLETED = "completed"


class LessonStatus(StrEnum):
    """What the dashboard says of a listed lesson. A lesson that is not listed is locked."""

    NOT_STARTED = "not_started"
    STARTED = "started"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class LessonFact:
    id: int
    slug: str
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class LevelFact:
    """A level and all its lessons, in order of position."""

    id: int
    slug: str
    lessons: tuple[LessonFact, ...]

    @property
    def compulsory_lessons(self) -> tuple[LessonFact, ...]:
        return tuple(lesson for lesson in self.lessons if not lesson.is_optional)


@dataclass(frozen=True, slots=True)
class CourseFacts:
    """One learner's standing in one course: its levels in order of position, and the learner's rows by
    level id and by lesson id. A level without lessons is under construction and takes no part."""

    levels: tuple[LevelFact, ...]
    level_progress: Mapping[int, Progress]
    lesson_progress: Mapping[int, Progress]
    is_enrolled: bool = True

    def find(self, lesson_id: int) -> tuple[LevelFact, LessonFact]:
        """A lesson and its level. Raises LessonNotFound when the course has no such lesson."""
        for level in self.levels:
            for lesson in level.lessons:
                if lesson.id == lesson_id:
                    return level, lesson
        raise LessonNotFound()

    def is_complete(self, lesson: LessonFact) -> bool:
        return self.lesson_progress.get(lesson.id) is Progress.COMPLETED

    def is_lesson_in_progress(self, level: LevelFact) -> bool:
        return any(self.lesson_progress.get(one.id) is Progress.STARTED for one in level.compulsory_lessons)

    def next_compulsory(self, level: LevelFact) -> LessonFact | None:
        return next((lesson for lesson in level.compulsory_lessons if not self.is_complete(lesson)), None)

    def frontier(self, level: LevelFact) -> LessonFact | None:
        """The one lesson of an open level that is next; none while a compulsory lesson of it is in
        progress."""
        if self.level_progress.get(level.id) is not Progress.STARTED or self.is_lesson_in_progress(level):
            return None
        return self.next_compulsory(level)

    def with_lesson(self, lesson_id: int, progress: Progress) -> CourseFacts:
        return replace(self, lesson_progress={**self.lesson_progress, lesson_id: progress})


@dataclass(frozen=True, slots=True)
class Advance:
    """What follows from an act, for its command to write and to tell; each tuple in course order."""

    #: the facts after the act, settled
    facts: CourseFacts
    #: levels that need a row now
    levels_opened: tuple[LevelFact, ...]
    #: levels whose row becomes complete now
    levels_completed: tuple[LevelFact, ...]
    #: lessons that came to be next in their level: the `lesson_unlocked` events
    lessons_unlocked: tuple[LessonFact, ...]
    is_course_complete: bool


@dataclass(frozen=True, slots=True)
class StartPlan:
    """`is_new`: the learner's row is to be inserted; otherwise it is there already, started or complete."""

    lesson: LessonFact
    is_new: bool
    advance: Advance


@dataclass(frozen=True, slots=True)
class CompletionPlan:
    """`is_new`: the row is to be inserted first. `is_repeat`: it was complete before, and nothing more is
    earned."""

    lesson: LessonFact
    is_new: bool
    is_repeat: bool
    advance: Advance


@dataclass(frozen=True, slots=True)
class ListedLesson:
    lesson: LessonFact
    status: LessonStatus


@dataclass(frozen=True, slots=True)
class ListedLevel:
    level: LevelFact
    status: Progress
    lessons: tuple[ListedLesson, ...]


def settle(facts: CourseFacts) -> CourseFacts:
    """The same facts with the level rows that the lesson rows imply.

    For an enrolled learner the first level is open, and so is each level after a complete one; an open
    level whose compulsory lessons are all complete is complete. A complete level stays so when lessons
    are added to it.
    """
    progress = dict(facts.level_progress)
    is_reached = facts.is_enrolled
    for level in facts.levels:
        if not level.lessons:
            continue
        if is_reached:
            progress.setdefault(level.id, Progress.STARTED)
        if progress.get(level.id) is Progress.STARTED and facts.next_compulsory(level) is None:
            progress[level.id] = Progress.COMPLETED
        is_reached = facts.is_enrolled and progress.get(level.id) is Progress.COMPLETED
    return replace(facts, level_progress=progress)


def catch_up(facts: CourseFacts) -> Advance:
    """What is overdue without any act of the learner, after a curriculum edit: for the loader and the
    doctor."""
    return _advance(facts, settle(facts))


def decide_enrolment(facts: CourseFacts) -> Advance:
    """What enrolling opens: the first level and its first lesson. Repeating it opens nothing."""
    return _advance(facts, settle(replace(facts, is_enrolled=True)))


def decide_start(facts: CourseFacts, lesson_id: int) -> StartPlan:
    """May the learner start this lesson? A started or completed one always, with nothing to write.

    Raises LessonNotFound, UserLevelNotFound (not enrolled, or level not reached), LessonInProgress
    (another compulsory lesson of the level is in progress), LessonNotUnlocked (an earlier compulsory
    lesson is not complete). Of these an optional lesson meets all but LessonInProgress, which it never
    causes either.
    """
    level, lesson = facts.find(lesson_id)
    after = settle(facts)
    is_new = lesson_id not in facts.lesson_progress
    if is_new:
        _check_startable(after, level, lesson)
        after = after.with_lesson(lesson_id, Progress.STARTED)
    return StartPlan(lesson, is_new, _advance(facts, after))


def decide_complete(facts: CourseFacts, lesson_id: int) -> CompletionPlan:
    """What completing this lesson does. One not started yet is started first, under the rules of
    `decide_start`; a started one may always be completed, wherever the curriculum has moved it since.

    Raises what `decide_start` raises.
    """
    start = decide_start(facts, lesson_id)
    after = settle(start.advance.facts.with_lesson(lesson_id, Progress.COMPLETED))
    return CompletionPlan(start.lesson, start.is_new, facts.is_complete(start.lesson), _advance(facts, after))


def user_levels_view(facts: CourseFacts) -> tuple[ListedLevel, ...]:
    """The levels the learner has reached, each with its started and completed lessons and its frontier,
    if any."""
    settled = settle(facts)
    return tuple(
        ListedLevel(level, status, _listed_lessons(settled, level))
        for level in settled.levels
        if (status := settled.level_progress.get(level.id))
    )


def current_level(facts: CourseFacts) -> LevelFact | None:
    """Where the learner is: the furthest level still open, else the furthest reached; None before enrolment.

    So a reopened earlier level never moves it back while a later one is open.
    """
    settled = settle(facts)
    reached = [level for level in settled.levels if level.id in settled.level_progress]
    still_open = [level for level in reached if settled.level_progress[level.id] is Progress.STARTED]
    return next(reversed(still_open or reached), None)


def is_course_complete(facts: CourseFacts) -> bool:
    """Every level that has lessons is complete. A course without any is not."""
    progress = settle(facts).level_progress
    taught = [level for level in facts.levels if level.lessons]
    return bool(taught) and all(progress.get(level.id) is Progress.COMPLETED for level in taught)


def _advance(before: CourseFacts, after: CourseFacts) -> Advance:
    was, now = before.level_progress, after.level_progress
    done = Progress.COMPLETED
    return Advance(
        facts=after,
        levels_opened=tuple(one for one in after.levels if one.id in now and one.id not in was),
        levels_completed=tuple(one for one in after.levels if now.get(one.id) is done and was.get(one.id) is not done),
        lessons_unlocked=tuple(
            frontier
            for level in after.levels
            if (frontier := after.frontier(level)) and frontier != before.frontier(level)
        ),
        is_course_complete=is_course_complete(after),
    )


def _check_startable(facts: CourseFacts, level: LevelFact, lesson: LessonFact) -> None:
    if not facts.is_enrolled or level.id not in facts.level_progress:
        raise UserLevelNotFound()
    if facts.is_lesson_in_progress(level) and not lesson.is_optional:
        raise LessonInProgress()
    earlier = level.lessons[: level.lessons.index(lesson)]
    if not all(one.is_optional or facts.is_complete(one) for one in earlier):
        raise LessonNotUnlocked()


def _listed_lessons(facts: CourseFacts, level: LevelFact) -> tuple[ListedLesson, ...]:
    frontier = facts.frontier(level)
    listed: list[ListedLesson] = []
    for lesson in level.lessons:
        if progress := facts.lesson_progress.get(lesson.id):
            listed.append(ListedLesson(lesson, LessonStatus(progress.value)))
        elif lesson is frontier:
            listed.append(ListedLesson(lesson, LessonStatus.NOT_STARTED))
    return tuple(listed)
