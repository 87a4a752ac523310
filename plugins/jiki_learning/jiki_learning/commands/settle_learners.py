"""Writes what is overdue for learners after a change of the curriculum: levels to open, levels to complete.

Nobody is ever stranded without it, because every act of a learner settles first (progression.py); with it, mails and
figures do not wait for that act.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from jiki_core.db import UnitOfWork
from jiki_learning.catalogue import CatalogueCourse
from jiki_learning.commands.learner import is_overdue, lock_progress, write_advance
from jiki_learning.models import UserCourse
from jiki_learning.progression import catch_up
from jiki_learning.queries.progress import course_progress

#: learners of one transaction; each that has something overdue stays locked until its end
BATCH = 200


@dataclass(frozen=True, slots=True)
class Settled:
    """`last_id`: the enrolment to go on behind, None when this was the last batch. `changed`: whose rows were written."""

    last_id: int | None
    changed: tuple[int, ...]


def settle_learners(uow: UnitOfWork, course: CatalogueCourse, *, after_id: int = 0, fix: bool = True) -> Settled:
    """One batch of a course's learners in the order of enrolment; without `fix` it only tells who is overdue."""
    learners = uow.session.execute(
        select(UserCourse.id, UserCourse.user_id)
        .where(UserCourse.course_id == course.id, UserCourse.id > after_id)
        .order_by(UserCourse.id)
        .limit(BATCH)
    ).all()
    changed = tuple(user_id for _, user_id in learners if _settle(uow, user_id, course, fix=fix))
    return Settled(learners[-1].id if len(learners) == BATCH else None, changed)


def _settle(uow: UnitOfWork, user_id: int, course: CatalogueCourse, *, fix: bool) -> bool:
    progress = course_progress(user_id, course)
    if not is_overdue(progress, catch_up(progress.facts)):
        return False
    if fix:
        progress = lock_progress(uow, user_id, course)
        advance = catch_up(progress.facts)
        if is_overdue(progress, advance):
            write_advance(uow, user_id, progress, advance)
    return True
