"""Random learners under random curriculum edits: from each state, what the dashboard offers leads to
completion."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from jiki_core.errors import DomainError
from jiki_learning.progression import (
    Advance,
    CourseFacts,
    LessonFact,
    LessonStatus,
    LevelFact,
    Progress,
    catch_up,
    decide_complete,
    decide_enrolment,
    decide_start,
    is_course_complete,
    user_levels_view,
)

anywhere = st.integers(min_value=0, max_value=1_000)


def walk_to_completion(facts: CourseFacts) -> None:
    """Do what the dashboard offers, first thing first, until the course is complete. Fails when it offers
    nothing."""
    for _ in range(2 * sum(len(level.lessons) for level in facts.levels)):
        if is_course_complete(facts):
            return
        offered = [
            row.lesson
            for listed in user_levels_view(facts)
            for row in listed.lessons
            if row.status is not LessonStatus.COMPLETED
        ]
        assert offered, f"nothing to do, and the course is not complete: {facts}"
        facts = decide_complete(facts, offered[0].id).advance.facts
    assert is_course_complete(facts)


class LearnersAndEditors(RuleBasedStateMachine):
    """One learner's rows, written only through plans, beside a course that an editor keeps changing.

    Lessons and levels are never deleted (contract.md 4.4), everything else may happen at any time.
    """

    @initialize(sizes=st.lists(st.integers(0, 4), min_size=1, max_size=4))
    def open_the_course(self, sizes: list[int]) -> None:
        self.next_id = 1
        self.facts = CourseFacts((), {}, {}, is_enrolled=False)
        for size in sizes:
            self.add_level(place=1_000)
            for _ in range(size):
                self.append_lesson(place=len(self.facts.levels) - 1, is_optional=False)
        self.take(decide_enrolment(self.facts))

    # The learner

    @rule(place=anywhere)
    def start(self, place: int) -> None:
        if lessons := self.lessons():
            with suppress(DomainError):
                self.take(decide_start(self.facts, lessons[place % len(lessons)].id).advance)

    @rule(place=anywhere)
    def complete(self, place: int) -> None:
        if lessons := self.lessons():
            with suppress(DomainError):
                self.take(decide_complete(self.facts, lessons[place % len(lessons)].id).advance)

    @rule()
    def complete_what_is_next(self) -> None:
        for listed in user_levels_view(self.facts):
            for row in listed.lessons:
                if row.status is not LessonStatus.COMPLETED:
                    self.take(decide_complete(self.facts, row.lesson.id).advance)
                    return

    # The editor

    @rule(place=anywhere)
    def add_level(self, place: int) -> None:
        levels = list(self.facts.levels)
        levels.insert(place % (len(levels) + 1), LevelFact(self.new_id(), f"level-{self.next_id}", ()))
        self.edit(levels)

    @rule(place=anywhere, is_optional=st.booleans())
    def append_lesson(self, place: int, is_optional: bool) -> None:
        levels = list(self.facts.levels)
        index = place % len(levels)
        lesson = LessonFact(self.new_id(), f"lesson-{self.next_id}", is_optional)
        levels[index] = replace(levels[index], lessons=(*levels[index].lessons, lesson))
        self.edit(levels)

    @rule(place=anywhere, to_level=anywhere, position=anywhere)
    def move_lesson(self, place: int, to_level: int, position: int) -> None:
        if not (lessons := self.lessons()):
            return
        moved = lessons[place % len(lessons)]
        levels = [
            replace(level, lessons=tuple(one for one in level.lessons if one != moved)) for level in self.facts.levels
        ]
        index = to_level % len(levels)
        there = list(levels[index].lessons)
        there.insert(position % (len(there) + 1), moved)
        levels[index] = replace(levels[index], lessons=tuple(there))
        self.edit(levels)

    @rule(place=anywhere)
    def toggle_optional(self, place: int) -> None:
        if not (lessons := self.lessons()):
            return
        toggled = lessons[place % len(lessons)]
        changed = replace(toggled, is_optional=not toggled.is_optional)
        self.edit(
            [
                replace(level, lessons=tuple(changed if one == toggled else one for one in level.lessons))
                for level in self.facts.levels
            ]
        )

    @rule(randomness=st.randoms(use_true_random=False))
    def reorder_levels(self, randomness: Random) -> None:
        levels = list(self.facts.levels)
        randomness.shuffle(levels)
        self.edit(levels)

    @rule(place=anywhere)
    def reopen_level(self, place: int) -> None:
        level = self.facts.levels[place % len(self.facts.levels)]
        if level.id in self.facts.level_progress:
            rows = {**self.facts.level_progress, level.id: Progress.STARTED}
            self.facts = replace(self.facts, level_progress=rows)

    @rule()
    def heal(self) -> None:
        self.take(catch_up(self.facts))
        assert catch_up(self.facts).facts == self.facts, "healing twice is healing once"

    # What must hold in every state

    @invariant()
    def the_dashboard_leads_to_completion(self) -> None:
        if self.lessons():
            walk_to_completion(self.facts)

    @invariant()
    def every_offered_lesson_can_be_started(self) -> None:
        for listed in user_levels_view(self.facts):
            for row in listed.lessons:
                decide_start(self.facts, row.lesson.id)

    @invariant()
    def at_most_one_lesson_of_a_level_is_next_and_it_is_compulsory(self) -> None:
        for listed in user_levels_view(self.facts):
            following = [row for row in listed.lessons if row.status is LessonStatus.NOT_STARTED]
            assert len(following) <= 1
            assert not any(row.lesson.is_optional for row in following)

    def take(self, advance: Advance) -> None:
        before = self.facts
        self.facts = advance.facts
        for was, now in (
            (before.level_progress, advance.facts.level_progress),
            (before.lesson_progress, advance.facts.lesson_progress),
        ):
            for row, progress in was.items():
                assert progress is Progress.STARTED or now[row] is Progress.COMPLETED, "nothing is ever undone"

    def edit(self, levels: list[LevelFact]) -> None:
        self.facts = replace(self.facts, levels=tuple(levels))

    def lessons(self) -> list[LessonFact]:
        return [lesson for level in self.facts.levels for lesson in level.lessons]

    def new_id(self) -> int:
        self.next_id += 1
        return self.next_id


LearnersAndEditors.TestCase.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
TestNobodyIsEverWedged = LearnersAndEditors.TestCase
