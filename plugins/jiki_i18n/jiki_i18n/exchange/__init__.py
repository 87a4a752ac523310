"""Import and export: formats that read and write the messages of one namespace in one locale, and the plan
of an import. Everything here is a function over bytes and values.
"""

from __future__ import annotations

from jiki_i18n.exchange.entries import Entries, Entry, ExchangeError, TranslationState
from jiki_i18n.exchange.formats import FORMATS, Format
from jiki_i18n.exchange.import_plan import (
    ConflictPolicy,
    ImportPlan,
    Outcome,
    PlannedChange,
    StoredTranslation,
    plan_import,
)

__all__ = [
    "FORMATS",
    "ConflictPolicy",
    "Entries",
    "Entry",
    "ExchangeError",
    "Format",
    "ImportPlan",
    "Outcome",
    "PlannedChange",
    "StoredTranslation",
    "TranslationState",
    "plan_import",
]
