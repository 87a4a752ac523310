"""What frozen asks others."""

from __future__ import annotations

from jiki_core import Cardinality, Contract, question


class Applause(Contract):
    """Who claps for a note, and how loud."""

    cardinality = Cardinality.MANY
    budget_ms = 200

    @question(absent=0, failing=0)
    def clap(self, note_id: int) -> int:
        """Claps for a note."""
        raise AssertionError("answered by a provider")
