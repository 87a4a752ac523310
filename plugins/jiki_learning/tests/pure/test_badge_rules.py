"""The badge table of contract.md 3.15."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from jiki_learning.badge_rules import BADGES, BadgeCheck, BadgeFacts, badges_to_check, earned

RULES = {rule.slug: rule for rule in BADGES}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(clock: str) -> BadgeFacts:
    moment = datetime.combine(NOON.date(), time.fromisoformat(clock), tzinfo=ZoneInfo("Asia/Tokyo"))
    return BadgeFacts(completions={"some-lesson": moment})


def test_the_table_lists_ten_badges_of_which_three_are_secret() -> None:
    assert len(RULES) == 10
    assert {slug for slug, rule in RULES.items() if rule.is_secret} == {
        "beta_user",
        "night_owl",
        "early_bird",
    }


def test_completing_a_lesson_checks_five_badges() -> None:
    assert [rule.slug for rule in badges_to_check(BadgeCheck.LESSON_COMPLETED)] == [
        "first_lesson",
        "maze_navigator",
        "scenario_handler",
        "night_owl",
        "early_bird",
    ]


ELIGIBILITY = [
    # badge             facts                                                                     eligible?
    ("member",           BadgeFacts(),                                                             True),
    ("townsfolk",        BadgeFacts(),                                                             True),
    ("beta_user",        BadgeFacts(account_created_at=datetime(2026, 6, 30, 23, 59, tzinfo=UTC)), True),
    ("beta_user",        BadgeFacts(account_created_at=datetime(2026, 7, 1, tzinfo=UTC)),          False),
    ("beta_user",        BadgeFacts(),                                                             False),
    ("first_lesson",     BadgeFacts(),                                                             False),
    ("first_lesson",     BadgeFacts(completions={"anything": NOON}),                               True),
    ("maze_navigator",   BadgeFacts(completions={"maze-solve-basic": NOON}),                       True),
    ("maze_navigator",   BadgeFacts(completions={"golf-scenarios": NOON}),                         False),
    ("scenario_handler", BadgeFacts(completions={"golf-scenarios": NOON}),                         True),
    ("scenario_handler", BadgeFacts(completions={"maze-solve-basic": NOON}),                       False),
    ("premium",          BadgeFacts(is_premium=True),                                              True),
    ("premium",          BadgeFacts(),                                                             False),
    ("sidekick",         BadgeFacts(has_asked_assistant=True),                                     True),
    ("sidekick",         BadgeFacts(),                                                             False),
    ("night_owl",        at("20:59:59"),                                                           False),
    ("night_owl",        at("21:00"),                                                              True),
    ("night_owl",        at("00:00"),                                                              True),
    ("night_owl",        at("02:30:59"),                                                           True),
    ("night_owl",        at("02:31"),                                                              False),
    ("early_bird",       at("03:59:59"),                                                           False),
    ("early_bird",       at("04:00"),                                                              True),
    ("early_bird",       at("08:59:59"),                                                           True),
    ("early_bird",       at("09:00"),                                                              False),
]  # fmt: skip


@pytest.mark.parametrize(("slug", "facts", "is_eligible"), ELIGIBILITY)
def test_who_earns_what(slug: str, facts: BadgeFacts, is_eligible: bool) -> None:
    assert RULES[slug].is_eligible(facts) is is_eligible


def test_earned_names_only_those_of_the_given_badges() -> None:
    facts = BadgeFacts(completions={"maze-solve-basic": NOON}, is_premium=True)
    assert earned(badges_to_check(BadgeCheck.LESSON_COMPLETED), facts) == ("first_lesson", "maze_navigator")
