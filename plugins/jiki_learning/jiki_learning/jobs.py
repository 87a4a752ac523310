"""Jobs of learning."""

from __future__ import annotations

from datetime import datetime

from jiki_core.db import UnitOfWork
from jiki_core.jobs import JobRun, Retry
from jiki_learning.badge_rules import BadgeCheck

#: a runner that does not answer is asked again; after that the run is a fault
TEST_RUN_RETRY = Retry(limit=4, first_delay_seconds=2.0)
#: more than any run may take, the start of its engine included
TEST_RUN_TIMEOUT_SECONDS = 120


def check_badges(uow: UnitOfWork, user_id: int, check: str, account_created_at: str | None = None) -> None:
    """Awards the badges of one moment (a BadgeCheck); `account_created_at` is ISO 8601."""
    from jiki_learning.commands.award_badges import award_badges  # commands ask for jobs, so jobs import them late

    created_at = datetime.fromisoformat(account_created_at) if account_created_at else None
    award_badges(uow, user_id, BadgeCheck(check), account_created_at=created_at)


def settle_course(uow: UnitOfWork, course_id: int, after_id: int = 0) -> None:
    """Writes what is overdue for a course's learners, a batch at a time."""
    from jiki_learning.commands.settle_learners import settle_learners
    from jiki_learning.queries.catalogue import current_catalogue

    course = current_catalogue().courses_by_id.get(course_id)
    if course is None:
        return
    settled = settle_learners(uow, course, after_id=after_id)
    if settled.last_id is not None:
        uow.enqueue(settle_course, course_id=course_id, after_id=settled.last_id)


def translate_milestone(uow: UnitOfWork, level_id: int, locale: str) -> None:
    """Fetches a level's milestone mail in one language."""
    from jiki_learning.commands.translate_level import fetch_translation

    fetch_translation(uow, level_id, locale)


def sweep_texts(uow: UnitOfWork) -> None:
    """Drops submitted texts that no submission refers to any more, of deleted accounts for example."""
    from jiki_learning.commands.sweep_texts import sweep_unused_texts

    if sweep_unused_texts(uow):
        uow.enqueue(sweep_texts)


def run_tests(run: JobRun, test_run_id: int) -> None:
    """Runs a submission's tests and settles what came of it."""
    from jiki_learning.commands.perform_test_run import perform_test_run

    perform_test_run(run, test_run_id)


def check_draft(run: JobRun, user_id: int, lesson_id: int) -> None:
    """Runs the tests of an exercise over what its learner has typed so far."""
    from jiki_learning.commands.check_draft import perform_check

    perform_check(run, user_id, lesson_id)


def remind_of_streaks(uow: UnitOfWork, after_id: int = 0) -> None:
    """Reminds learners of streaks that would end today, a batch at a time."""
    from jiki_learning.commands import remind_of_streaks as reminding

    last_id = reminding.remind_of_streaks(uow, after_id=after_id)
    if last_id is not None:
        uow.enqueue(remind_of_streaks, after_id=last_id)


def close_idle_collaborations(uow: UnitOfWork) -> None:
    """Ends collaborations that lie idle and drops those that ended long ago."""
    from jiki_learning.commands.sweep_collaborations import sweep_collaborations

    if sweep_collaborations(uow):
        uow.enqueue(close_idle_collaborations)


def forget_test_details(uow: UnitOfWork) -> None:
    """Forgets messages and output of old test runs; their outcomes stay."""
    from jiki_learning.commands.sweep_test_runs import sweep_test_runs

    if sweep_test_runs(uow):
        uow.enqueue(forget_test_details)
