"""What bringing keys would do to a namespace, decided before anything is written: sync, extraction and the import of
English share this plan. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from jiki_i18n.exchange import Entry
from jiki_i18n.icu import same_message
from jiki_i18n.locales import SOURCE_LOCALE
from jiki_i18n.messages import Problem, check_message


class KeyOutcome(StrEnum):
    """What becomes of one key."""

    ADDED = "added"  #: is new
    REVIVED = "revived"  #: was retired, is used again
    CHANGED = "changed"  #: says something else: its translations become stale
    TOUCHED = "touched"  #: says the same; its spelling, description or limit differ
    UNCHANGED = "unchanged"
    RETIRED = "retired"  #: nobody brings it any more
    INVALID = "invalid"  #: its source is no message; it stays as it was


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is stored; `id` and the revisions are for whoever carries the plan out."""

    key: str
    source: str
    description: str = ""
    max_length: int | None = None
    is_retired: bool = False
    id: int = 0
    source_revision: int = 1


@dataclass(frozen=True, slots=True)
class PlannedKey:
    """One key of the plan, with what is stored (None when it is new) and what comes (None when it is retired)."""

    key: str
    outcome: KeyOutcome
    stored: StoredKey | None
    incoming: Entry | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """Every key of both sides, in the order of keys."""

    keys: tuple[PlannedKey, ...]

    def with_outcome(self, *outcomes: KeyOutcome) -> tuple[PlannedKey, ...]:
        return tuple(each for each in self.keys if each.outcome in outcomes)

    def counts(self) -> dict[str, int]:
        """How many keys have each outcome, all outcomes named."""
        found = {outcome.value: 0 for outcome in KeyOutcome}
        for each in self.keys:
            found[each.outcome.value] += 1
        return found

    def diff_lines(self) -> list[str]:
        """The dry run for a terminal: a line for each key that changes or is refused."""
        return [line for each in self.keys for line in _diff_lines(each)]


def plan_sources(stored: Iterable[StoredKey], incoming: Sequence[Entry], *, retires_missing: bool) -> SourcePlan:
    """Compares the keys of a namespace with those that come; an entry's `text` is the English source. A description or
    limit that the incoming side leaves out stays. With `retires_missing`, keys that do not come are retired."""
    known = {each.key: each for each in stored}
    planned = [_plan(known.pop(entry.key, None), entry) for entry in incoming]
    for left in known.values():
        outcome = KeyOutcome.RETIRED if retires_missing and not left.is_retired else KeyOutcome.UNCHANGED
        planned.append(PlannedKey(left.key, outcome, left, None))
    return SourcePlan(tuple(sorted(planned, key=lambda each: each.key)))


def _plan(stored: StoredKey | None, entry: Entry) -> PlannedKey:
    limit = entry.max_length if entry.max_length is not None or stored is None else stored.max_length
    problems = check_message(entry.text, SOURCE_LOCALE, max_length=limit)
    if problems:
        return PlannedKey(entry.key, KeyOutcome.INVALID, stored, entry, problems)
    if stored is None:
        return PlannedKey(entry.key, KeyOutcome.ADDED, None, entry)
    return PlannedKey(entry.key, _outcome(stored, entry), stored, entry)


def _outcome(stored: StoredKey, entry: Entry) -> KeyOutcome:
    if not same_message(stored.source, entry.text):
        return KeyOutcome.CHANGED
    if stored.is_retired:
        return KeyOutcome.REVIVED
    has_new_description = bool(entry.description) and entry.description != stored.description
    has_new_limit = entry.max_length is not None and entry.max_length != stored.max_length
    if stored.source != entry.text or has_new_description or has_new_limit:
        return KeyOutcome.TOUCHED
    return KeyOutcome.UNCHANGED


def _diff_lines(planned: PlannedKey) -> list[str]:
    before = planned.stored.source if planned.stored is not None else ""
    after = planned.incoming.text if planned.incoming is not None else ""
    match planned.outcome:
        case KeyOutcome.ADDED:
            return [f"+ {planned.key}: {after!r}"]
        case KeyOutcome.REVIVED:
            return [f"+ {planned.key}: {after!r} (was retired)"]
        case KeyOutcome.CHANGED:
            return [f"~ {planned.key}: {before!r} -> {after!r} (translations become stale)"]
        case KeyOutcome.TOUCHED:
            return [f"~ {planned.key}: {after!r} (says the same)"]
        case KeyOutcome.RETIRED:
            return [f"- {planned.key}: retired"]
        case KeyOutcome.INVALID:
            return [f"x {planned.key}: {problem.code}: {problem.detail}" for problem in planned.problems]
    return []
