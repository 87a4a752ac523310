"""Approving many translations at once: each by the same rule as one alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jiki_core.db import UnitOfWork
from jiki_core.errors import DomainError
from jiki_i18n.commands.translations import approve_translation
from jiki_i18n.queries.editors import Editor


@dataclass(frozen=True, slots=True)
class Seen:
    """A translation as the reviewer saw it."""

    message_id: int
    version: int


@dataclass(frozen=True, slots=True)
class RefusedApproval:
    """One that could not be approved, and the symbol of why."""

    message_id: int
    symbol: str


@dataclass(frozen=True, slots=True)
class BulkApproval:
    """What became of them."""

    approved_count: int
    refused: tuple[RefusedApproval, ...]


def approve_many(uow: UnitOfWork, editor: Editor, locale: str, seen: Sequence[Seen]) -> BulkApproval:
    """Approves what can be; a refusal of one does not hold up the others. Raises LocaleNotGranted."""
    editor.check_review(locale)
    refused: list[RefusedApproval] = []
    # in one order, so that two reviewers never wait for each other in a circle
    for one in sorted(seen, key=lambda each: each.message_id):
        try:
            approve_translation(uow, editor, one.message_id, locale, seen_version=one.version)
        except DomainError as error:  # every refusal comes before the first write
            refused.append(RefusedApproval(one.message_id, error.symbol))
    return BulkApproval(len(seen) - len(refused), tuple(refused))
