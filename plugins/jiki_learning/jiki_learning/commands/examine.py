"""The doctor: finds what does not fit together in learning's tables, and heals it (`flask learning doctor [--fix]`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import text

from jiki_core.db import UnitOfWork
from jiki_learning.badge_rules import BADGES
from jiki_learning.commands.award_badges import ensure_badges, recount_badges
from jiki_learning.commands.content_lock import lock_content
from jiki_learning.commands.enrol import enrol
from jiki_learning.commands.settle_learners import settle_learners
from jiki_learning.commands.sweep_texts import sweep_unused_texts
from jiki_learning.commands.unlock_edges import link_lessons, unlock_earned_concepts
from jiki_learning.queries.catalogue import current_catalogue

_BADGES = text("select slug from learning.badges")
_WRONG_COUNTERS = text("""
    select badges.id, count(mine.user_id) as awardees from learning.badges
    left join learning.user_acquired_badges mine on mine.badge_id = badges.id
    group by badges.id having badges.num_awardees <> count(mine.user_id)
""")
_NOT_ENROLLED = text("""
    select distinct rows.user_id, courses.slug
    from (
        select user_id, lessons.level_id from learning.user_lessons
        join learning.lessons on lessons.id = user_lessons.lesson_id
        union all
        select user_id, level_id from learning.user_levels
    ) rows
    join learning.levels on levels.id = rows.level_id
    join learning.courses on courses.id = levels.course_id
    where not exists (
        select from learning.user_courses mine where mine.user_id = rows.user_id and mine.course_id = courses.id
    )
""")
_WRONG_EDGES = text("""
    with placed as (
        select lessons.id, lead(lessons.id) over (
            partition by levels.course_id order by levels.position, lessons.position
        ) as next_id
        from learning.lessons join learning.levels on levels.id = lessons.level_id
    )
    select count(*) from placed
    full join (select * from learning.unlock_edges where next_lesson_id is not null) edges
        on edges.lesson_id = placed.id and edges.next_lesson_id = placed.next_id
    where (placed.id is null) or (edges.id is null and placed.next_id is not null)
""")
_UNEARNED = text("""
    select count(*) from learning.unlock_edges edges
    join learning.user_lessons done on done.lesson_id = edges.lesson_id and done.completed_at is not null
    where edges.concept_id is not null and not exists (
        select from learning.user_concepts mine
        where mine.user_id = done.user_id and mine.concept_id = edges.concept_id
    )
""")
_UNUSED_TEXTS = text("""
    select count(*) from learning.file_texts texts
    where not exists (select from learning.submission_files files where files.digest = texts.digest)
""")


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something that does not fit together; `count` rows of it."""

    what: str
    count: int


def examine(uow: UnitOfWork, *, fix: bool) -> tuple[Complaint, ...]:
    """Everything that is wrong; with `fix`, it is healed in this unit. Learners are healed last, when all else is right."""
    lock_content(uow)
    checks: tuple[Callable[[UnitOfWork, bool], Iterator[Complaint]], ...] = (
        _badges,
        _counters,
        _edges,
        _concepts,
        _enrolments,
        _learners,
        _texts,
    )
    return tuple(complaint for check in checks for complaint in check(uow, fix))


def _badges(uow: UnitOfWork, fix: bool) -> Iterator[Complaint]:
    missing = {rule.slug for rule in BADGES} - set(uow.session.scalars(_BADGES))
    if missing:
        yield Complaint("badges have no row", len(missing))
        if fix:
            ensure_badges(uow)


def _counters(uow: UnitOfWork, fix: bool) -> Iterator[Complaint]:
    wrong = uow.session.execute(_WRONG_COUNTERS).all()
    if wrong:
        yield Complaint("badges count their owners wrongly", len(wrong))
        if fix:
            recount_badges(uow)


def _edges(uow: UnitOfWork, fix: bool) -> Iterator[Complaint]:
    wrong = uow.session.execute(_WRONG_EDGES).scalar_one()
    if wrong:
        yield Complaint("edges between lessons do not follow their positions", wrong)
        if fix:
            for course in current_catalogue().courses.values():
                link_lessons(uow, course.id)


def _concepts(uow: UnitOfWork, fix: bool) -> Iterator[Complaint]:
    missing = uow.session.execute(_UNEARNED).scalar_one()
    if missing:
        yield Complaint("concepts were earned and are still locked", missing)
        if fix:
            unlock_earned_concepts(uow)


def _enrolments(uow: UnitOfWork, fix: bool) -> Iterator[Complaint]:
    missing = uow.session.execute(_NOT_ENROLLED).all()
    if missing:
        yield Complaint("learners have progress in a course without being enrolled", len(missing))
        if fix:
            for user_id, slug in missing:
                enrol(uow, user_id, slug)


def _learners(uow: UnitOfWork, fix: bool) -> Iterator[Complaint]:
    for course in current_catalogue().courses.values():
        overdue, after_id = 0, 0
        while True:
            settled = settle_learners(uow, course, after_id=after_id, fix=fix)
            overdue += len(settled.changed)
            if settled.last_id is None:
                break
            after_id = settled.last_id
        if overdue:
            yield Complaint(f"learners of {course.slug} have levels to open or to complete", overdue)


def _texts(uow: UnitOfWork, fix: bool) -> Iterator[Complaint]:
    unused = uow.session.execute(_UNUSED_TEXTS).scalar_one()
    if unused:
        yield Complaint("submitted texts belong to no submission", unused)
        while fix and sweep_unused_texts(uow):
            pass
