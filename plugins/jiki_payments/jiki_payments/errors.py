"""Refusals of payments, with the contract's symbols (contract.md 2.5 and section 1)."""

from __future__ import annotations

from jiki_core.errors import DomainError


class EntitlementNotFound(DomainError):
    """The user has no open entitlement of that source."""

    symbol = "entitlement_not_found"
    status = 404
