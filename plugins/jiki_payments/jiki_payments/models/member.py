"""Members: one row for each user that payments has dealt with, and the lock under which their state changes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CHAR, DateTime, ForeignKey, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import Timestamp
from jiki_payments.models.base import PaymentsModel


class Member(PaymentsModel):
    __tablename__ = "members"

    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"), primary_key=True)
    stripe_customer_id: Mapped[str | None] = mapped_column(Text)
    #: what was last announced; what *is* follows from the entitlements
    is_announced_premium: Mapped[bool] = mapped_column(server_default=text("false"))
    #: when the one welcome of a lifetime was mailed
    welcomed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: the checkout that may still be paid; a new one takes its place, so that nobody pays twice
    open_checkout_id: Mapped[str | None] = mapped_column(Text)
    #: of the newest price decision; null = the standard price
    price_country_code: Mapped[str | None] = mapped_column(CHAR(2))
    #: null = never decided: the country of the account counts
    price_decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: an operator's word on where the user is; wins over all evidence
    price_override: Mapped[str | None] = mapped_column(CHAR(2))
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())

    __table_args__ = (
        Index("members_stripe_customer_id_key", "stripe_customer_id", unique=True),
        Index("members_announced_premium_idx", "user_id", postgresql_where=text("is_announced_premium")),
    )
