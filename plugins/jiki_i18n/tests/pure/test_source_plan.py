"""What bringing keys would do."""

from __future__ import annotations

import pytest

from jiki_i18n.exchange import Entry
from jiki_i18n.source_plan import KeyOutcome, StoredKey, plan_sources


def outcome(stored, incoming, *, retires_missing=True):
    plan = plan_sources([stored] if stored else [], [incoming] if incoming else [], retires_missing=retires_missing)
    return plan.keys[0].outcome


@pytest.mark.parametrize(
    ("stored", "incoming", "expected"),
    [
        (None, Entry("a", "A"), KeyOutcome.ADDED),
        (StoredKey("a", "A"), Entry("a", "A"), KeyOutcome.UNCHANGED),
        (StoredKey("a", "A"), Entry("a", "B"), KeyOutcome.CHANGED),
        (StoredKey("a", "A {x}"), Entry("a", "A {x }"), KeyOutcome.TOUCHED),
        (StoredKey("a", "A"), Entry("a", "A", description="new"), KeyOutcome.TOUCHED),
        (StoredKey("a", "A", description="old"), Entry("a", "A"), KeyOutcome.UNCHANGED),
        (StoredKey("a", "A"), Entry("a", "A", max_length=5), KeyOutcome.TOUCHED),
        (StoredKey("a", "A", max_length=5), Entry("a", "A"), KeyOutcome.UNCHANGED),
        (StoredKey("a", "A", is_retired=True), Entry("a", "A"), KeyOutcome.REVIVED),
        (StoredKey("a", "A", is_retired=True), Entry("a", "B"), KeyOutcome.CHANGED),
        (StoredKey("a", "A"), Entry("a", "{broken"), KeyOutcome.INVALID),
        (StoredKey("a", "A", max_length=3), Entry("a", "too long"), KeyOutcome.INVALID),
        (StoredKey("a", "A"), None, KeyOutcome.RETIRED),
        (StoredKey("a", "A", is_retired=True), None, KeyOutcome.UNCHANGED),
    ],
)
def test_what_becomes_of_a_key(stored, incoming, expected):
    assert outcome(stored, incoming) is expected


def test_keys_that_do_not_come_stay_unless_they_are_to_be_retired():
    assert outcome(StoredKey("a", "A"), None, retires_missing=False) is KeyOutcome.UNCHANGED


def test_the_diff_names_every_change_in_the_order_of_keys():
    stored = [StoredKey("b", "B"), StoredKey("c", "C"), StoredKey("d", "D"), StoredKey("e", "E", is_retired=True)]
    incoming = [Entry("d", "D"), Entry("c", "New"), Entry("a", "A"), Entry("f", "{x"), Entry("e", "E")]
    plan = plan_sources(stored, incoming, retires_missing=True)
    assert plan.diff_lines()[:4] == [
        "+ a: 'A'",
        "- b: retired",
        "~ c: 'C' -> 'New' (translations become stale)",
        "+ e: 'E' (was retired)",
    ]
    assert plan.diff_lines()[4].startswith("x f: syntax")
    assert plan.counts() == {
        "added": 1,
        "revived": 1,
        "changed": 1,
        "touched": 0,
        "unchanged": 1,
        "retired": 1,
        "invalid": 1,
    }
