"""Prices as data: versions of the table, and the Stripe prices that sell them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Index, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import IdentityKey, Timestamp
from jiki_payments.models.base import PaymentsModel
from jiki_payments.pricing import Amounts, PriceTable


class PriceTableVersion(PaymentsModel):
    """Never changed once published; the one published last is in force. None yet: the shipped table is."""

    __tablename__ = "price_tables"

    id: Mapped[IdentityKey]
    version: Mapped[str] = mapped_column(Text)
    default_currency: Mapped[str] = mapped_column(Text)
    #: alpha-2 code in capitals -> currency in small letters
    currency_by_country: Mapped[dict[str, str]] = mapped_column(JSONB)
    #: currency -> `{"monthly": …, "annual": …}` in minor units
    amounts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    note: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (Index("price_tables_version_key", "version", unique=True),)

    def as_table(self) -> PriceTable:
        """The row as the rules see it."""
        return PriceTable(
            version=self.version,
            default_currency=self.default_currency,
            currency_by_country=self.currency_by_country,
            amounts_by_currency={code: Amounts(**amounts) for code, amounts in self.amounts.items()},
        )


class StripePrice(PaymentsModel):
    """A price at Stripe that is ours: what a subscription at it pays for. Old ones stay for those who have them."""

    __tablename__ = "stripe_prices"

    price_id: Mapped[str] = mapped_column(Text, primary_key=True)
    interval: Mapped[str] = mapped_column(Text)
    #: of the price table it sells
    version: Mapped[str] = mapped_column(Text)
    #: SHA-256 of its amounts: a version that is changed in the file needs prices of its own
    fingerprint: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())

    __table_args__ = (Index("stripe_prices_version_idx", "fingerprint", "interval"),)
