"""Awards badges, each once (contract.md 3.15). Runs in jobs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from jiki_core.contracts import Entitlements, ask
from jiki_core.db import UnitOfWork
from jiki_learning.badge_rules import BADGES, BadgeCheck, BadgeFacts, badges_to_check, earned
from jiki_learning.models import (
    AssistantConversation,
    AssistantMessage,
    Badge,
    Lesson,
    UserAcquiredBadge,
    UserLesson,
)
from jiki_learning.queries.zones import zone_of


def ensure_badges(uow: UnitOfWork) -> Mapping[str, int]:
    """Makes the rows of `BADGES` that are missing, in their order, and brings `is_secret` in line; slug -> id."""
    known = dict(uow.session.execute(select(Badge.slug, Badge.is_secret)).all())
    for rule in BADGES:
        if known.get(rule.slug) != rule.is_secret:
            uow.session.execute(
                insert(Badge)
                .values(slug=rule.slug, is_secret=rule.is_secret)
                .on_conflict_do_update(index_elements=[Badge.slug], set_={"is_secret": rule.is_secret})
            )
    return dict(uow.session.execute(select(Badge.slug, Badge.id)).all())


def award_badges(
    uow: UnitOfWork, user_id: int, check: BadgeCheck, *, account_created_at: datetime | None = None
) -> tuple[str, ...]:
    """Looks at the badges of one moment and returns the slugs of those that are new to the user."""
    acquired = set(
        uow.session.scalars(
            select(Badge.slug)
            .join(UserAcquiredBadge, UserAcquiredBadge.badge_id == Badge.id)
            .where(UserAcquiredBadge.user_id == user_id)
        )
    )
    missing = tuple(rule for rule in badges_to_check(check) if rule.slug not in acquired)
    if not missing:
        return ()
    deserved = earned(missing, _facts(uow, user_id, check, account_created_at))
    badge_ids = ensure_badges(uow) if deserved else {}
    new = [slug for slug in deserved if _acquire(uow, user_id, badge_ids[slug])]
    # The counters last and in one order: two awards at once wait for each other at most here, and briefly.
    for badge_id in sorted(badge_ids[slug] for slug in new):
        uow.session.execute(update(Badge).where(Badge.id == badge_id).values(num_awardees=Badge.num_awardees + 1))
    for slug in new:
        uow.notify(user_id, "learning.badge_awarded", {"badge_id": badge_ids[slug], "slug": slug})
    return tuple(new)


def recount_badges(uow: UnitOfWork) -> None:
    """Counts owners again, for when accounts went."""
    owners = select(func.count()).where(UserAcquiredBadge.badge_id == Badge.id).scalar_subquery()
    uow.session.execute(update(Badge).where(Badge.num_awardees != owners).values(num_awardees=owners))


def _acquire(uow: UnitOfWork, user_id: int, badge_id: int) -> bool:
    """Whether this transaction is the one that awards it."""
    inserted = uow.session.execute(
        insert(UserAcquiredBadge)
        .values(user_id=user_id, badge_id=badge_id, unlocked_at=uow.now)
        .on_conflict_do_nothing()
        .returning(UserAcquiredBadge.badge_id)
    ).scalar_one_or_none()
    return inserted is not None


def _facts(uow: UnitOfWork, user_id: int, check: BadgeCheck, account_created_at: datetime | None) -> BadgeFacts:
    """What the badges of that moment ask for, and nothing else."""
    match check:
        case BadgeCheck.ACCOUNT_PREPARED:
            return BadgeFacts(account_created_at=account_created_at)
        case BadgeCheck.LESSON_COMPLETED:
            return BadgeFacts(completions=_completions(uow, user_id))
        case BadgeCheck.BECAME_PREMIUM:
            return BadgeFacts(is_premium=ask(Entitlements).check(user_id, "premium"))
        case BadgeCheck.ASSISTANT_ASKED:
            return BadgeFacts(has_asked_assistant=_has_asked(uow, user_id))
        case BadgeCheck.FORUM_JOINED:
            return BadgeFacts()


def _completions(uow: UnitOfWork, user_id: int) -> dict[str, datetime]:
    zone = zone_of(user_id)
    rows = uow.session.execute(
        select(Lesson.slug, UserLesson.completed_at)
        .join(UserLesson, UserLesson.lesson_id == Lesson.id)
        .where(UserLesson.user_id == user_id, UserLesson.completed_at.is_not(None))
    )
    return {slug: completed_at.astimezone(zone) for slug, completed_at in rows if completed_at is not None}


def _has_asked(uow: UnitOfWork, user_id: int) -> bool:
    asked = (
        select(AssistantMessage.id)
        .join(AssistantConversation, AssistantConversation.id == AssistantMessage.conversation_id)
        .where(AssistantConversation.user_id == user_id, AssistantMessage.role == "user")
        .limit(1)
    )
    return uow.session.execute(asked).first() is not None
