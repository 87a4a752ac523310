"""The rules of contract.md 3.7, one test each, on a course small enough to keep in mind:

using-functions   welcome, maze, [bonus], portrait        (brackets: optional)
loops             fence, golf
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from jiki_core.errors import DomainError
from jiki_learning.errors import LessonInProgress, LessonNotFound, LessonNotUnlocked, UserLevelNotFound
from jiki_learning.progression import (
    CourseFacts,
    LessonFact,
    LevelFact,
    Progress,
    catch_up,
    current_level,
    decide_complete,
    decide_enrolment,
    decide_start,
    is_course_complete,
    user_levels_view,
)

WELCOME, MAZE, BONUS, PORTRAIT = (
    LessonFact(1, "welcome"),
    LessonFact(2, "maze"),
    LessonFact(3, "bonus", is_optional=True),
    LessonFact(4, "portrait"),
)
FENCE, GOLF = LessonFact(5, "fence"), LessonFact(6, "golf")
FUNCTIONS = LevelFact(1, "using-functions", (WELCOME, MAZE, BONUS, PORTRAIT))
LOOPS = LevelFact(2, "loops", (FENCE, GOLF))
STARTED, COMPLETED = Progress.STARTED, Progress.COMPLETED


def learner(
    *,
    completed: Iterable[LessonFact] = (),
    started: Iterable[LessonFact] = (),
    levels: tuple[LevelFact, ...] = (FUNCTIONS, LOOPS),
    open_levels: Iterable[LevelFact] = (FUNCTIONS,),
    completed_levels: Iterable[LevelFact] = (),
) -> CourseFacts:
    return CourseFacts(
        levels=levels,
        level_progress={level.id: STARTED for level in open_levels}
        | {level.id: COMPLETED for level in completed_levels},
        lesson_progress={lesson.id: STARTED for lesson in started} | {lesson.id: COMPLETED for lesson in completed},
    )


STRANGER = CourseFacts((FUNCTIONS, LOOPS), {}, {}, is_enrolled=False)


def listing(facts: CourseFacts) -> list[str]:
    """The dashboard as lines: "level status: lesson status, …"."""
    return [
        f"{one.level.slug} {one.status}: " + ", ".join(f"{row.lesson.slug} {row.status}" for row in one.lessons)
        for one in user_levels_view(facts)
    ]


# Enrolment


def test_enrolling_opens_the_first_level_and_unlocks_its_first_lesson() -> None:
    advance = decide_enrolment(STRANGER)
    assert advance.levels_opened == (FUNCTIONS,)
    assert advance.lessons_unlocked == (WELCOME,)
    assert not advance.levels_completed


def test_enrolling_again_opens_nothing() -> None:
    advance = decide_enrolment(decide_enrolment(STRANGER).facts)
    assert (advance.levels_opened, advance.lessons_unlocked) == ((), ())


def test_enrolling_passes_over_a_level_that_is_optional_throughout() -> None:
    extras = LevelFact(9, "extras", (BONUS,))
    advance = decide_enrolment(CourseFacts((extras, LOOPS), {}, {}, is_enrolled=False))
    assert advance.levels_opened == (extras, LOOPS)
    assert advance.levels_completed == (extras,)
    assert advance.lessons_unlocked == (FENCE,)


def test_an_empty_level_is_not_opened() -> None:
    advance = decide_enrolment(CourseFacts((LevelFact(9, "soon", ()), LOOPS), {}, {}, is_enrolled=False))
    assert advance.levels_opened == (LOOPS,)


# Start


def test_the_next_lesson_may_be_started() -> None:
    plan = decide_start(learner(completed=[WELCOME]), MAZE.id)
    assert plan.is_new
    assert plan.advance.facts.lesson_progress[MAZE.id] is STARTED
    assert plan.advance.lessons_unlocked == ()


@pytest.mark.parametrize("state", [STARTED, COMPLETED])
def test_starting_what_has_a_row_changes_nothing_even_where_it_would_be_refused(state: Progress) -> None:
    facts = learner(started=[MAZE]).with_lesson(GOLF.id, state)
    plan = decide_start(facts, GOLF.id)
    assert not plan.is_new
    assert plan.advance.facts == facts


REFUSED_STARTS = [
    # facts                                                lesson    refusal
    (STRANGER,                                             WELCOME,  UserLevelNotFound),
    (learner(),                                            FENCE,    UserLevelNotFound),
    (learner(started=[WELCOME]),                           MAZE,     LessonInProgress),
    (learner(completed=[WELCOME], started=[MAZE]),         PORTRAIT, LessonInProgress),
    (learner(completed=[WELCOME]),                         PORTRAIT, LessonNotUnlocked),
    (learner(),                                            MAZE,     LessonNotUnlocked),
    (learner(started=[WELCOME]),                           BONUS,    LessonNotUnlocked),
    (learner(),                                            LessonFact(99, "elsewhere"), LessonNotFound),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "lesson", "refusal"), REFUSED_STARTS)
def test_what_may_not_be_started(facts: CourseFacts, lesson: LessonFact, refusal: type[DomainError]) -> None:
    with pytest.raises(refusal):
        decide_start(facts, lesson.id)


@pytest.mark.parametrize(("facts", "lesson", "refusal"), REFUSED_STARTS)
def test_what_may_not_be_started_may_not_be_completed(
    facts: CourseFacts, lesson: LessonFact, refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal):
        decide_complete(facts, lesson.id)


def test_a_row_without_enrolment_is_no_way_in() -> None:
    with pytest.raises(UserLevelNotFound):
        decide_start(CourseFacts((FUNCTIONS,), {FUNCTIONS.id: STARTED}, {}, is_enrolled=False), WELCOME.id)


def test_a_lesson_of_a_reopened_level_may_be_started_while_a_later_level_is_unfinished() -> None:
    facts = learner(completed=[WELCOME, MAZE], started=[FENCE], open_levels=[FUNCTIONS, LOOPS])
    assert decide_start(facts, PORTRAIT.id).is_new


# Optional lessons


def test_an_optional_lesson_may_start_once_the_compulsory_ones_before_it_are_complete() -> None:
    assert decide_start(learner(completed=[WELCOME, MAZE]), BONUS.id).is_new


def test_an_optional_lesson_may_start_while_a_compulsory_one_is_in_progress() -> None:
    assert decide_start(learner(completed=[WELCOME, MAZE], started=[PORTRAIT]), BONUS.id).is_new


def test_an_optional_lesson_in_progress_holds_nothing_up() -> None:
    assert decide_start(learner(completed=[WELCOME, MAZE], started=[BONUS]), PORTRAIT.id).is_new


def test_an_optional_lesson_left_out_does_not_keep_the_level_open() -> None:
    plan = decide_complete(learner(completed=[WELCOME, MAZE], started=[PORTRAIT]), PORTRAIT.id)
    assert plan.advance.levels_completed == (FUNCTIONS,)


def test_completing_an_optional_lesson_unlocks_nothing() -> None:
    plan = decide_complete(learner(completed=[WELCOME, MAZE], started=[BONUS]), BONUS.id)
    assert plan.advance.lessons_unlocked == ()


# Complete


def test_completing_a_lesson_unlocks_the_next_compulsory_one() -> None:
    plan = decide_complete(learner(completed=[WELCOME], started=[MAZE]), MAZE.id)
    assert plan.advance.lessons_unlocked == (PORTRAIT,)
    assert not plan.is_new


def test_completing_the_next_lesson_without_a_start_starts_it_too() -> None:
    plan = decide_complete(learner(completed=[WELCOME]), MAZE.id)
    assert plan.is_new
    assert plan.advance.lessons_unlocked == (PORTRAIT,)


def test_completing_twice_earns_nothing_the_second_time() -> None:
    once = decide_complete(learner(completed=[WELCOME]), MAZE.id)
    twice = decide_complete(once.advance.facts, MAZE.id)
    assert twice.is_repeat
    assert not twice.advance.lessons_unlocked
    assert twice.advance.facts == once.advance.facts


def test_the_last_lesson_completes_the_level_and_opens_the_next_with_one_unlock() -> None:
    plan = decide_complete(learner(completed=[WELCOME, MAZE]), PORTRAIT.id)
    assert plan.advance.levels_completed == (FUNCTIONS,)
    assert plan.advance.levels_opened == (LOOPS,)
    assert plan.advance.lessons_unlocked == (FENCE,)
    assert not plan.advance.is_course_complete


def test_the_last_lesson_of_the_last_level_completes_the_course() -> None:
    facts = learner(completed=[WELCOME, MAZE, PORTRAIT, FENCE], completed_levels=[FUNCTIONS], open_levels=[LOOPS])
    plan = decide_complete(facts, GOLF.id)
    assert plan.advance.is_course_complete
    assert plan.advance.lessons_unlocked == ()


def test_a_started_lesson_may_be_completed_even_where_the_curriculum_moved_it_out_of_reach() -> None:
    plan = decide_complete(learner(started=[GOLF]), GOLF.id)
    assert plan.advance.facts.lesson_progress[GOLF.id] is COMPLETED
    assert plan.advance.levels_opened == ()


def test_completing_a_reopened_level_does_not_move_the_learner_back() -> None:
    facts = learner(completed=[WELCOME, MAZE, FENCE], open_levels=[FUNCTIONS, LOOPS])
    assert current_level(facts) == LOOPS
    advance = decide_complete(facts, PORTRAIT.id).advance
    assert advance.levels_completed == (FUNCTIONS,)
    assert advance.levels_opened == ()
    assert advance.lessons_unlocked == ()
    assert current_level(advance.facts) == LOOPS


# Curriculum edits


def test_a_level_added_behind_a_finished_course_opens_by_itself() -> None:
    decisions = LevelFact(3, "decisions", (LessonFact(7, "umbrella"),))
    finished = learner(
        completed=[WELCOME, MAZE, PORTRAIT, FENCE, GOLF],
        open_levels=[],
        completed_levels=[FUNCTIONS, LOOPS],
        levels=(FUNCTIONS, LOOPS, decisions),
    )
    assert not is_course_complete(finished)
    assert listing(finished)[-1] == "decisions started: umbrella not_started"
    assert decide_start(finished, 7).advance.levels_opened == (decisions,)


def test_a_level_slipped_in_before_the_learner_opens_by_itself() -> None:
    between = LevelFact(3, "between", (LessonFact(7, "pause"),))
    facts = learner(
        completed=[WELCOME, MAZE, PORTRAIT],
        completed_levels=[FUNCTIONS],
        open_levels=[LOOPS],
        levels=(FUNCTIONS, between, LOOPS),
    )
    assert catch_up(facts).levels_opened == (between,)
    assert current_level(facts) == LOOPS


def test_a_level_whose_last_open_lesson_was_moved_away_completes_by_itself() -> None:
    shorter = LevelFact(FUNCTIONS.id, FUNCTIONS.slug, (WELCOME,))
    facts = learner(completed=[WELCOME], levels=(shorter, LOOPS))
    advance = catch_up(facts)
    assert advance.levels_completed == (shorter,)
    assert advance.levels_opened == (LOOPS,)
    assert decide_start(facts, FENCE.id).is_new


def test_a_lesson_appended_to_a_completed_level_leaves_it_complete_and_may_be_done() -> None:
    encore = LessonFact(7, "encore")
    longer = LevelFact(FUNCTIONS.id, FUNCTIONS.slug, (*FUNCTIONS.lessons, encore))
    facts = learner(
        completed=[WELCOME, MAZE, PORTRAIT, FENCE, GOLF],
        open_levels=[],
        completed_levels=[longer, LOOPS],
        levels=(longer, LOOPS),
    )
    assert is_course_complete(facts)
    assert decide_start(facts, encore.id).is_new


def test_nothing_is_overdue_for_a_learner_on_the_way() -> None:
    facts = learner(completed=[WELCOME], started=[MAZE])
    assert catch_up(facts).facts == facts


def test_a_course_without_lessons_is_not_complete() -> None:
    assert not is_course_complete(CourseFacts((), {}, {}))
    assert not is_course_complete(CourseFacts((LevelFact(1, "soon", ()),), {}, {}))


# The dashboard


BEFORE_BONUS = "using-functions started: welcome completed, maze completed"


@pytest.mark.parametrize(
    ("facts", "lines"),
    [
        (STRANGER, []),
        (learner(), ["using-functions started: welcome not_started"]),
        (learner(started=[WELCOME]), ["using-functions started: welcome started"]),
        (
            learner(completed=[WELCOME]),
            ["using-functions started: welcome completed, maze not_started"],
        ),
        (
            learner(completed=[WELCOME, MAZE]),
            [f"{BEFORE_BONUS}, portrait not_started"],
        ),
        (
            learner(completed=[WELCOME, MAZE], started=[BONUS]),
            [f"{BEFORE_BONUS}, bonus started, portrait not_started"],
        ),
        (
            learner(completed=[WELCOME, MAZE, PORTRAIT], completed_levels=[FUNCTIONS], open_levels=[LOOPS]),
            [
                "using-functions completed: welcome completed, maze completed, portrait completed",
                "loops started: fence not_started",
            ],
        ),
    ],
)
def test_the_dashboard_lists_rows_and_one_next_lesson(facts: CourseFacts, lines: list[str]) -> None:
    assert listing(facts) == lines


def test_a_completed_level_shows_no_next_lesson() -> None:
    encore = LessonFact(7, "encore")
    longer = LevelFact(FUNCTIONS.id, FUNCTIONS.slug, (WELCOME, encore))
    facts = learner(completed=[WELCOME], open_levels=[], completed_levels=[longer], levels=(longer,))
    assert listing(facts) == ["using-functions completed: welcome completed"]


def test_there_is_no_current_level_before_enrolment() -> None:
    assert current_level(STRANGER) is None


def test_the_current_level_of_a_finished_course_is_its_last() -> None:
    facts = learner(
        completed=[WELCOME, MAZE, PORTRAIT, FENCE, GOLF], open_levels=[], completed_levels=[FUNCTIONS, LOOPS]
    )
    assert current_level(facts) == LOOPS
