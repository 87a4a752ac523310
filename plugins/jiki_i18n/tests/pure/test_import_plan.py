"""What an import would do: every outcome, every policy, and what keeps it from doing harm."""

from __future__ import annotations

import pytest

from jiki_i18n.exchange import (
    ConflictPolicy,
    Entries,
    Entry,
    Outcome,
    StoredTranslation,
    TranslationState,
    plan_import,
)
from jiki_i18n.exchange.import_plan import ImportPlan

DRAFT, REVIEWED, STALE = TranslationState.DRAFT, TranslationState.REVIEWED, TranslationState.STALE
OURS, THEIRS, UNREVIEWED, REFUSE = ConflictPolicy


def plan(
    ours: str,
    theirs: str,
    policy: ConflictPolicy = THEIRS,
    *,
    state: TranslationState = DRAFT,
    base: str | None = None,
) -> Outcome:
    stored = StoredTranslation("k", "Hello", ours, state if ours else TranslationState.MISSING, version=3)
    incoming = Entries("hu", "web", (Entry("k", theirs),))
    planned = plan_import([stored], incoming, policy, base=None if base is None else {"k": base})
    (change,) = planned.changes
    assert (change.before, change.after, change.version) == (ours, theirs, 3)
    return change.outcome


@pytest.mark.parametrize(("ours", "theirs", "policy", "state", "outcome"), [
    ("",       "Szia",   REFUSE,     DRAFT,    Outcome.ADDED),
    ("Szia",   "Szia",   REFUSE,     DRAFT,    Outcome.UNCHANGED),
    ("it's",   "it''s",  REFUSE,     DRAFT,    Outcome.UNCHANGED),  # the same message
    ("Szia",   "",       THEIRS,     DRAFT,    Outcome.UNCHANGED),  # nothing in the file deletes nothing
    ("",       "",       THEIRS,     DRAFT,    Outcome.UNCHANGED),
    ("Szia",   "Helló",  THEIRS,     REVIEWED, Outcome.UPDATED),
    ("Szia",   "Helló",  OURS,       DRAFT,    Outcome.KEPT),
    ("Szia",   "Helló",  UNREVIEWED, DRAFT,    Outcome.UPDATED),
    ("Szia",   "Helló",  UNREVIEWED, REVIEWED, Outcome.KEPT),
    ("Szia",   "Helló",  REFUSE,     DRAFT,    Outcome.CONFLICT),
    ("Szia",   "{név}",  REFUSE,     DRAFT,    Outcome.INVALID),
    ("Szia",   "{név}",  OURS,       DRAFT,    Outcome.KEPT),
    ("",       "<b>",    THEIRS,     DRAFT,    Outcome.INVALID),
])  # fmt: skip
def test_outcome_without_a_base(
    ours: str, theirs: str, policy: ConflictPolicy, state: TranslationState, outcome: Outcome
) -> None:
    assert plan(ours, theirs, policy, state=state) is outcome


@pytest.mark.parametrize(("base", "ours", "theirs", "policy", "outcome"), [
    ("Szia",  "Szia",   "Helló", REFUSE, Outcome.UPDATED),    # only the file has changed
    ("Szia",  "Helló",  "Szia",  THEIRS, Outcome.KEPT),       # only ours has changed
    ("Szia",  "Helló",  "Csá",   REFUSE, Outcome.CONFLICT),
    ("Szia",  "Helló",  "Csá",   THEIRS, Outcome.UPDATED),
    ("Szia",  "Helló",  "Helló", REFUSE, Outcome.UNCHANGED),
    ("",      "",       "Helló", REFUSE, Outcome.ADDED),
])  # fmt: skip
def test_outcome_with_the_text_at_export(
    base: str, ours: str, theirs: str, policy: ConflictPolicy, outcome: Outcome
) -> None:
    assert plan(ours, theirs, policy, base=base) is outcome


def two_key_plan(policy: ConflictPolicy) -> ImportPlan:
    stored = [StoredTranslation("a", "A", "régi", DRAFT, 1), StoredTranslation("b", "B")]
    return plan_import(stored, Entries("hu", "web", (Entry("a", "új"), Entry("b", "új"))), policy)


def test_a_refused_plan_writes_nothing_at_all() -> None:
    refused = two_key_plan(REFUSE)
    assert refused.is_refused
    assert refused.writes == ()
    assert refused.counts()["added"] == 1


def test_a_plan_writes_what_is_added_and_updated() -> None:
    accepted = two_key_plan(THEIRS)
    assert [(each.key, each.outcome) for each in accepted.writes] == [
        ("a", Outcome.UPDATED),
        ("b", Outcome.ADDED),
    ]


def test_keys_are_never_made_by_an_import() -> None:
    (change,) = plan_import([], Entries("hu", "web", (Entry("new", "x"),)), THEIRS).changes
    assert change.outcome is Outcome.UNKNOWN_KEY


@pytest.mark.parametrize(("state", "source", "may_review", "stored_as"), [
    (REVIEWED, "Hello",  True,  REVIEWED),
    (REVIEWED, "Hello",  False, DRAFT),      # reviewing is a permission of its own
    (REVIEWED, "",       True,  REVIEWED),   # the format has no sources
    (REVIEWED, "Hi",     True,  STALE),      # made for another source
    (TranslationState.MACHINE, "Hello", True, TranslationState.MACHINE),
])  # fmt: skip
def test_state_of_what_is_written(
    state: TranslationState, source: str, may_review: bool, stored_as: TranslationState
) -> None:
    incoming = Entries("hu", "web", (Entry("k", "Szia", source=source, state=state),))
    stored = [StoredTranslation("k", "Hello")]
    (change,) = plan_import(stored, incoming, THEIRS, may_review=may_review).changes
    assert change.state is stored_as


def test_problems_of_an_invalid_message_are_told() -> None:
    stored = [StoredTranslation("k", "{n, plural, one {# day} other {# days}}", max_length=4)]
    incoming = Entries("pl", "web", (Entry("k", "{n, plural, one {# dzień} other {# dni}}"),))
    (change,) = plan_import(stored, incoming, THEIRS).changes
    assert [problem.code for problem in change.problems] == ["plural_category_missing", "too_long"]


def test_the_dry_run_shows_a_line_for_each_difference() -> None:
    stored = [
        StoredTranslation("added", "A"),
        StoredTranslation("broken", "A"),
        StoredTranslation("same", "A", "x", DRAFT),
        StoredTranslation("changed", "A", "x", DRAFT),
        StoredTranslation("kept", "A", "x", REVIEWED),
    ]
    incoming = Entries(
        "hu",
        "web",
        tuple(
            Entry(key, text)
            for key, text in {
                "added": "y",
                "broken": "{",
                "same": "x",
                "changed": "y",
                "kept": "y",
                "unknown": "y",
            }.items()
        ),
    )
    assert plan_import(stored, incoming, UNREVIEWED).diff_lines() == [
        "+ added: 'y'",
        'x broken: syntax: Expected placeholder name but found "<EOF>"',
        "~ changed: 'x' -> 'y'",
        "= kept: kept 'x', the file has 'y'",
        "? unknown: no such key",
    ]
    (conflict,) = plan_import(stored[3:4], Entries("hu", "web", (Entry("changed", "y"),)), REFUSE).diff_lines()
    assert conflict == "! changed: both changed, 'x' and 'y'"
