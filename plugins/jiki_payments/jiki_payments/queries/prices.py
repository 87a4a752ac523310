"""Prices as visitors and users see them (contract.md 3.11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from jiki_core.contracts import Accounts, ask
from jiki_payments.pricing import PremiumPrices, PriceTable, load_default_table, price_for


def current_table() -> PriceTable:
    """The price table in force."""
    return load_default_table()


def prices_for_country(country_code: str | None) -> PremiumPrices:
    """What a visitor from there is shown; an unknown country gets the standard price."""
    return price_for(current_table(), country_code)


def prices_of(user_ids: Sequence[int]) -> Mapping[int, PremiumPrices]:
    """What each user is shown: the prices of their stored country."""
    table = current_table()
    countries = {account.id: account.country_code for account in ask(Accounts).get_many(user_ids)}
    return {user_id: price_for(table, countries.get(user_id)) for user_id in user_ids}


def prices_json(prices: PremiumPrices) -> dict[str, Any]:
    """The wire shape `PremiumPrices` (contract.md 2.2)."""
    return asdict(prices)
