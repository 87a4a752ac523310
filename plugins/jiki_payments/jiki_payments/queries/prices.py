"""Prices as visitors and users see them (contract.md 3.11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from sqlalchemy import select

from jiki_core.contracts import Accounts, ask
from jiki_core.db import reading
from jiki_payments.models import Member, PriceTableVersion
from jiki_payments.pricing import PremiumPrices, PriceTable, load_default_table, price_for


def current_table() -> PriceTable:
    """The price table in force: the one published last, else the shipped one."""
    newest = (
        reading()
        .execute(
            select(PriceTableVersion.id, PriceTableVersion.published_at)
            .where(PriceTableVersion.published_at.is_not(None))
            .order_by(PriceTableVersion.published_at.desc(), PriceTableVersion.id.desc())
            .limit(1)
        )
        .one_or_none()
    )
    return load_default_table() if newest is None else _published(newest.id, newest.published_at.isoformat())


@lru_cache(maxsize=8)
def _published(table_id: int, published_at: str) -> PriceTable:
    """A published table never changes, so each process reads it once."""
    row = reading().scalars(select(PriceTableVersion).where(PriceTableVersion.id == table_id)).one()
    return row.as_table()


def prices_of(user_ids: Sequence[int]) -> Mapping[int, PremiumPrices]:
    """What each user is shown: as decided for them last, else the prices of the country of their account."""
    table = current_table()
    decided = {
        row.user_id: row.price_country_code
        for row in reading().execute(
            select(Member.user_id, Member.price_country_code).where(
                Member.user_id.in_(list(user_ids)), Member.price_decided_at.is_not(None)
            )
        )
    }
    undecided = [user_id for user_id in user_ids if user_id not in decided]
    accounts = ask(Accounts).get_many(undecided) if undecided else []
    countries = decided | {account.id: account.country_code for account in accounts}
    return {user_id: price_for(table, countries.get(user_id)) for user_id in user_ids}


def prices_json(prices: PremiumPrices) -> dict[str, Any]:
    """The wire shape `PremiumPrices` (contract.md 2.2)."""
    return asdict(prices)
