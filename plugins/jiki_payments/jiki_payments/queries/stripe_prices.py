"""Which Stripe prices are ours."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from sqlalchemy import select

from jiki_core.db import reading
from jiki_payments.models import StripePrice
from jiki_payments.pricing import PriceTable
from jiki_payments.settings import payments_settings
from jiki_payments.stripe_snapshots import Interval


def intervals_by_price() -> dict[str, Interval]:
    """price id -> what a subscription at it is; old versions and those of the settings included."""
    settings = payments_settings()
    known = dict.fromkeys(settings.monthly_price_ids, Interval.MONTHLY)
    known |= dict.fromkeys(settings.annual_price_ids, Interval.ANNUAL)
    rows = reading().execute(select(StripePrice.price_id, StripePrice.interval))
    return known | {row.price_id: Interval(row.interval) for row in rows}


def prices_selling(table: PriceTable) -> dict[Interval, str]:
    """The Stripe prices made for exactly these amounts; what is missing was not made yet."""
    query = select(StripePrice.interval, StripePrice.price_id).where(StripePrice.fingerprint == fingerprint_of(table))
    return {Interval(row.interval): row.price_id for row in reading().execute(query.order_by(StripePrice.created_at))}


def fingerprint_of(table: PriceTable) -> str:
    """Sixteen hex digits that change with any amount, and with nothing else."""
    amounts = {code: asdict(one) for code, one in table.amounts_by_currency.items()}
    text = json.dumps({"default": table.default_currency, "amounts": amounts}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
