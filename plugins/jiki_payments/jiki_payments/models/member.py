"""Members: one row for each user that payments has dealt with, and the lock under which their state changes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, Text, func, text
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
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())

    __table_args__ = (
        Index("members_stripe_customer_id_key", "stripe_customer_id", unique=True),
        Index("members_announced_premium_idx", "user_id", postgresql_where=text("is_announced_premium")),
    )
