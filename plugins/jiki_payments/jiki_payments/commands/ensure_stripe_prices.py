"""Sees that Stripe has the prices of a table, one for each interval with an option for each currency (contract.md 3.11).

Calls outside: takes the gateway first and opens its own units. Amounts of a Stripe price never change: other amounts are
other prices, found again by their lookup key. Repeating it makes nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import UnitOfWork, unit_of_work
from jiki_payments.models import StripePrice
from jiki_payments.pricing import PriceTable
from jiki_payments.queries.stripe_prices import fingerprint_of, prices_selling
from jiki_payments.stripe_gateway import JsonObject, StripeGateway
from jiki_payments.stripe_snapshots import Interval

PRODUCT = "Jiki Premium"
_RECURRENCE = {Interval.MONTHLY: "month", Interval.ANNUAL: "year"}


def ensure_stripe_prices(stripe: StripeGateway, table: PriceTable, *, trusts_us: bool = True) -> Mapping[Interval, str]:
    """interval -> price id. Raises StripeRefused, PaymentProviderUnavailable.

    Without `trusts_us`, Stripe is asked even for prices that we know: it may be another account by now.
    """
    known = prices_selling(table)
    if trusts_us and len(known) == len(Interval):
        return known
    fingerprint = fingerprint_of(table)
    wanted = {lookup_key(interval, fingerprint): interval for interval in Interval}
    found = [price for page in stripe.prices(lookup_keys=list(wanted)) for price in page]
    prices = {wanted[price["lookup_key"]]: price for price in found}
    for interval in Interval:
        if interval not in prices:
            product = next((price["product"] for price in prices.values()), None)
            params = _price(table, interval, fingerprint, product)
            key = f"price:{lookup_key(interval, fingerprint)}:{known.get(interval, 'first')}"
            prices[interval] = stripe.create_price(params, key)
    with unit_of_work() as uow:
        for interval, price in prices.items():
            record_stripe_price(uow, price["id"], interval, table.version, fingerprint)
    return {interval: price["id"] for interval, price in prices.items()}


def record_stripe_price(uow: UnitOfWork, price_id: str, interval: Interval, version: str, fingerprint: str) -> None:
    """From now on subscriptions at this price are ours."""
    uow.session.execute(
        insert(StripePrice)
        .values(price_id=price_id, interval=interval, version=version, fingerprint=fingerprint, created_at=uow.now)
        .on_conflict_do_nothing()
    )


def price_of_ours(price: JsonObject) -> tuple[Interval, str, str] | None:
    """(interval, version, fingerprint) that our metadata names on a Stripe price, None when it is none of ours."""
    metadata = price.get("metadata") or {}
    interval = metadata.get("jiki_interval")
    if interval not in list(Interval):
        return None
    return Interval(interval), metadata.get("jiki_version", ""), metadata.get("jiki_fingerprint", "")


def lookup_key(interval: Interval, fingerprint: str) -> str:
    return f"jiki_premium_{interval}_{fingerprint}"


def _price(table: PriceTable, interval: Interval, fingerprint: str, product: str | None) -> dict[str, Any]:
    amounts = {code: getattr(one, interval.value) for code, one in table.amounts_by_currency.items()}
    return {
        "currency": table.default_currency,
        "unit_amount": amounts.pop(table.default_currency),
        "recurring": {"interval": _RECURRENCE[interval]},
        "lookup_key": lookup_key(interval, fingerprint),
        "nickname": f"Premium {interval}",
        "currency_options": {code: {"unit_amount": amount} for code, amount in sorted(amounts.items())},
        "metadata": {
            "jiki_interval": interval.value,
            "jiki_version": table.version,
            "jiki_fingerprint": fingerprint,
        },
        **({"product": product} if product else {"product_data": {"name": PRODUCT}}),
    }
