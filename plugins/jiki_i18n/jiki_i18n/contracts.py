"""What i18n asks of plugins that require it."""

from __future__ import annotations

from collections.abc import Sequence

from jiki_core.contracts import Contract, question
from jiki_i18n.errors import EngineUnavailable


def _failing(texts: Sequence[str], source: str, target: str) -> list[str]:
    raise EngineUnavailable()


class TranslationEngine(Contract):
    """Machine translation. Without a provider i18n uses the service at `engine_url`, or only copies."""

    #: a call goes to the outside, never inside a unit of work
    budget_ms = 60_000

    @question(absent=None, failing=_failing)
    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """One translation for each text, in order. Texts hold markers such as `<x0/>`, which must be kept."""
        raise AssertionError("answered by a provider")
