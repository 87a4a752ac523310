"""What an import would do, decided before anything is written: the dry run and the real one share this plan.

Pure: the caller loads what is stored, and writes the planned changes against the versions the plan has seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from jiki_i18n.exchange.entries import Entries, Entry, TranslationState
from jiki_i18n.icu import MessageSyntaxError, same_message
from jiki_i18n.messages import Message, Problem, check_message, parse_message


class ConflictPolicy(StrEnum):
    """Who wins where the file and the stored translation have both changed."""

    OURS = "ours"  #: what is stored stays
    THEIRS = "theirs"  #: the file wins
    UNREVIEWED = "unreviewed"  #: the file wins unless what is stored was reviewed
    REFUSE = "refuse"  #: nothing of the file is imported while there is a conflict


class Outcome(StrEnum):
    """What becomes of one message of the file."""

    ADDED = "added"  #: was missing
    UPDATED = "updated"  #: replaces another text
    UNCHANGED = "unchanged"  #: says what is stored already, or nothing
    KEPT = "kept"  #: differs, what is stored stays
    CONFLICT = "conflict"  #: differs, and the policy is to refuse
    UNKNOWN_KEY = "unknown_key"  #: there is no such key; imports never make keys
    INVALID = "invalid"  #: not a valid translation of the source


@dataclass(frozen=True, slots=True)
class StoredTranslation:
    """What is stored for one key in the locale of the import: the key's source and limit, the translation (""
    is missing) and the version that a write must still find (0 when there is no row yet)."""

    key: str
    source: str
    text: str = ""
    state: TranslationState = TranslationState.MISSING
    version: int = 0
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One message of the file: what is stored, what the file says, what happens; `state` is what it gets."""

    key: str
    outcome: Outcome
    before: str
    after: str
    state: TranslationState
    version: int = 0
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """Every message of the file in the order of keys. A plan with a conflict is refused whole."""

    locale: str
    namespace: str
    changes: tuple[PlannedChange, ...]

    @property
    def is_refused(self) -> bool:
        """Does the policy forbid this import?"""
        return any(change.outcome is Outcome.CONFLICT for change in self.changes)

    @property
    def writes(self) -> tuple[PlannedChange, ...]:
        """What is to be written; nothing when the plan is refused."""
        if self.is_refused:
            return ()
        return tuple(each for each in self.changes if each.outcome in (Outcome.ADDED, Outcome.UPDATED))

    def counts(self) -> dict[str, int]:
        """How many messages have each outcome, all outcomes named."""
        found = Counter(change.outcome for change in self.changes)
        return {outcome.value: found[outcome] for outcome in Outcome}

    def diff_lines(self) -> list[str]:
        """The dry run for a terminal: a line for each message whose text changes or is refused."""
        return [line for change in self.changes for line in _diff_lines(change)]


def plan_import(
    stored: Iterable[StoredTranslation],
    incoming: Entries,
    policy: ConflictPolicy,
    *,
    base: Mapping[str, str] | None = None,
    may_review: bool = False,
) -> ImportPlan:
    """Plan the import of `incoming` over `stored`.

    `base` is the text of each key when the file was exported: with it only what both sides changed is a
    conflict, without it every difference from a stored text is. A translation of an older source comes in as
    stale; one the file calls reviewed comes in as a draft unless `may_review`. Nothing is ever deleted: a key
    without text in the file, or absent from it, stays as it is.
    """
    by_key = {each.key: each for each in stored}
    planner = _Planner(incoming.locale, policy, base, may_review)
    changes = tuple(planner.plan(by_key.get(entry.key), entry) for entry in incoming.entries)
    return ImportPlan(incoming.locale, incoming.namespace, changes)


@dataclass(frozen=True, slots=True)
class _Planner:
    locale: str
    policy: ConflictPolicy
    base: Mapping[str, str] | None
    may_review: bool

    def plan(self, ours: StoredTranslation | None, theirs: Entry) -> PlannedChange:
        if ours is None:
            return PlannedChange(theirs.key, Outcome.UNKNOWN_KEY, "", theirs.text, TranslationState.MISSING)
        outcome = self._outcome(ours, theirs)
        problems: tuple[Problem, ...] = ()
        if outcome in (Outcome.ADDED, Outcome.UPDATED, Outcome.CONFLICT):
            problems = self._problems(ours, theirs)
            outcome = Outcome.INVALID if problems else outcome
        is_written = outcome in (Outcome.ADDED, Outcome.UPDATED)
        state = self._state(ours, theirs) if is_written else ours.state
        return PlannedChange(ours.key, outcome, ours.text, theirs.text, state, ours.version, problems)

    def _outcome(self, ours: StoredTranslation, theirs: Entry) -> Outcome:
        if not theirs.text or same_message(ours.text, theirs.text):
            return Outcome.UNCHANGED
        if not ours.text:
            return Outcome.ADDED
        if self.base is not None and ours.key in self.base:
            exported = self.base[ours.key]
            if same_message(theirs.text, exported):
                return Outcome.KEPT  # only our side has changed since
            if same_message(ours.text, exported):
                return Outcome.UPDATED
        match self.policy:
            case ConflictPolicy.REFUSE:
                return Outcome.CONFLICT
            case ConflictPolicy.OURS:
                return Outcome.KEPT
            case ConflictPolicy.UNREVIEWED if ours.state is TranslationState.REVIEWED:
                return Outcome.KEPT
        return Outcome.UPDATED

    def _problems(self, ours: StoredTranslation, theirs: Entry) -> tuple[Problem, ...]:
        return check_message(theirs.text, self.locale, source=_source_message(ours.source), max_length=ours.max_length)

    def _state(self, ours: StoredTranslation, theirs: Entry) -> TranslationState:
        if theirs.source and not same_message(theirs.source, ours.source):
            return TranslationState.STALE
        if theirs.state is TranslationState.REVIEWED and not self.may_review:
            return TranslationState.DRAFT
        return theirs.state


def _source_message(source: str) -> Message | None:
    """A stored source that is broken itself can't be compared with; `check` reports it."""
    try:
        return parse_message(source)
    except MessageSyntaxError:
        return None


def _diff_lines(change: PlannedChange) -> list[str]:
    match change.outcome:
        case Outcome.UNCHANGED:
            return []
        case Outcome.ADDED:
            return [f"+ {change.key}: {change.after!r}"]
        case Outcome.UPDATED:
            return [f"~ {change.key}: {change.before!r} -> {change.after!r}"]
        case Outcome.KEPT:
            return [f"= {change.key}: kept {change.before!r}, the file has {change.after!r}"]
        case Outcome.CONFLICT:
            return [f"! {change.key}: both changed, {change.before!r} and {change.after!r}"]
        case Outcome.UNKNOWN_KEY:
            return [f"? {change.key}: no such key"]
        case Outcome.INVALID:
            return [f"x {change.key}: {problem.code}: {problem.detail}" for problem in change.problems]
