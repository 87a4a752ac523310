"""Entitlements: the only truth of premium (contract.md section 1, "premium"; 3.9). Rows that ended stay as history."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import IdentityKey, Timestamp
from jiki_payments.models.base import PaymentsModel

PREMIUM = "premium"


class Source(StrEnum):
    """Why somebody has an entitlement; stored."""

    #: kept by `reconcile`, never by hand
    STRIPE = "stripe"
    #: what was paid for at a price that was not the user's: kept to its end while the subscription moves
    PRICE_MOVE = "price_move"
    GRANT = "grant"
    TRIAL = "trial"
    GIFT = "gift"
    EXERCISM_INSIDER = "exercism_insider"
    EXERCISM_BOOTCAMP = "exercism_bootcamp"


#: sources that people give and take
GIVEN_BY_HAND = tuple(source for source in Source if source not in (Source.STRIPE, Source.PRICE_MOVE))


class Entitlement(PaymentsModel):
    """Active = `revoked_at` is null and `expires_at` is null or lies ahead."""

    __tablename__ = "entitlements"

    id: Mapped[IdentityKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"))
    #: what is given, e.g. "premium"
    entitlement: Mapped[str] = mapped_column(Text, server_default=text("'premium'"))
    source: Mapped[str] = mapped_column(Text)
    granted_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    #: null = without end
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: when it was taken back; also set on an expired row that a new one follows
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: opaque id of whoever gave it by hand
    granted_by: Mapped[int | None] = mapped_column(BigInteger)
    note: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index(
            "entitlements_open_key",
            "user_id",
            "entitlement",
            "source",
            unique=True,
            postgresql_where=text("revoked_at is null"),
        ),
        Index("entitlements_user_id_idx", "user_id"),
        Index("entitlements_expires_at_idx", "expires_at", postgresql_where=text("revoked_at is null")),
    )
