"""The badges and who earns them (contract.md 3.15): a table, and eligibility as pure functions over facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from enum import StrEnum


class BadgeCheck(StrEnum):
    """The moments at which badges are looked at."""

    ACCOUNT_PREPARED = "account_prepared"
    LESSON_COMPLETED = "lesson_completed"
    BECAME_PREMIUM = "became_premium"
    ASSISTANT_ASKED = "assistant_asked"
    FORUM_JOINED = "forum_joined"


@dataclass(frozen=True, slots=True)
class BadgeFacts:
    """What is known of one user. What a badge does not ask for may be left at its default."""

    #: aware; None when the account is not known
    account_created_at: datetime | None = None
    #: lesson slug → aware completion time in the user's own time zone
    completions: Mapping[str, datetime] = field(default_factory=dict)
    is_premium: bool = False
    has_asked_assistant: bool = False


@dataclass(frozen=True, slots=True)
class BadgeRule:
    """One badge. `slug` is its stable code; a secret badge is not shown before it is earned."""

    slug: str
    checked_on: BadgeCheck
    is_eligible: Callable[[BadgeFacts], bool]
    is_secret: bool = False


_BETA_ENDED_AT = datetime(2026, 7, 1, tzinfo=UTC)


def _everybody(facts: BadgeFacts) -> bool:
    return True


def _joined_during_beta(facts: BadgeFacts) -> bool:
    return facts.account_created_at is not None and facts.account_created_at < _BETA_ENDED_AT


def _completed_any(facts: BadgeFacts) -> bool:
    return bool(facts.completions)


def _completed(slug: str) -> Callable[[BadgeFacts], bool]:
    return lambda facts: slug in facts.completions


def _completed_between(first: time, last: time) -> Callable[[BadgeFacts], bool]:
    """Some lesson was completed from the minute `first` to the minute `last`, both included, by the
    user's clock. `first` after `last` means across midnight."""

    def is_within(moment: datetime) -> bool:
        minute = moment.time().replace(second=0, microsecond=0)
        if first <= last:
            return first <= minute <= last
        return minute >= first or minute <= last

    return lambda facts: any(is_within(moment) for moment in facts.completions.values())


#: in the order in which badges are created and listed
BADGES: tuple[BadgeRule, ...] = (
    BadgeRule("member", BadgeCheck.ACCOUNT_PREPARED, _everybody),
    BadgeRule("beta_user", BadgeCheck.ACCOUNT_PREPARED, _joined_during_beta, is_secret=True),
    BadgeRule("first_lesson", BadgeCheck.LESSON_COMPLETED, _completed_any),
    BadgeRule("maze_navigator", BadgeCheck.LESSON_COMPLETED, _completed("maze-solve-basic")),
    BadgeRule("scenario_handler", BadgeCheck.LESSON_COMPLETED, _completed("golf-scenarios")),
    BadgeRule("night_owl", BadgeCheck.LESSON_COMPLETED, _completed_between(time(21), time(2, 30)), is_secret=True),
    BadgeRule("early_bird", BadgeCheck.LESSON_COMPLETED, _completed_between(time(4), time(8, 59)), is_secret=True),
    BadgeRule("premium", BadgeCheck.BECAME_PREMIUM, lambda facts: facts.is_premium),
    BadgeRule("sidekick", BadgeCheck.ASSISTANT_ASKED, lambda facts: facts.has_asked_assistant),
    BadgeRule("townsfolk", BadgeCheck.FORUM_JOINED, _everybody),
)


def badges_to_check(check: BadgeCheck) -> tuple[BadgeRule, ...]:
    """The badges that this moment may earn."""
    return tuple(rule for rule in BADGES if rule.checked_on is check)


def earned(rules: tuple[BadgeRule, ...], facts: BadgeFacts) -> tuple[str, ...]:
    """Slugs of those of the given badges that the facts entitle to."""
    return tuple(rule.slug for rule in rules if rule.is_eligible(facts))
