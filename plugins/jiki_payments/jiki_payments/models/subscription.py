"""Stripe subscriptions: the newest snapshot of each, and every interval it was ever seen at (stripe_states.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, ForeignKey, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import Timestamp
from jiki_payments.models.base import PaymentsModel
from jiki_payments.stripe_snapshots import EndReason, Interval, StripeStatus, SubscriptionSnapshot
from jiki_payments.stripe_states import IntervalPeriod, SubscriptionRecord


class Subscription(PaymentsModel):
    __tablename__ = "subscriptions"

    subscription_id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"))
    customer_id: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    price_id: Mapped[str | None] = mapped_column(Text)
    interval: Mapped[str | None] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Timestamp]
    started_at: Mapped[Timestamp]
    interval_since: Mapped[Timestamp]
    period_start: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    period_end: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    cancels_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    end_reason: Mapped[str | None] = mapped_column(Text)
    payment_failed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    #: when Stripe was asked for what stands here
    observed_at: Mapped[Timestamp]
    #: `[{"since": ISO 8601, "interval": "monthly"}]`, oldest first
    intervals: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    #: mails about the failed payment of `payment_failed_at`
    failure_mails: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))

    __table_args__ = (
        Index("subscriptions_user_id_idx", "user_id"),
        Index("subscriptions_customer_id_idx", "customer_id"),
        Index("subscriptions_failed_idx", "payment_failed_at", postgresql_where=text("payment_failed_at is not null")),
    )

    def as_record(self) -> SubscriptionRecord:
        """The row as the rules see it."""
        snapshot = SubscriptionSnapshot(
            subscription_id=self.subscription_id,
            customer_id=self.customer_id,
            status=StripeStatus(self.status),
            price_id=self.price_id,
            interval=Interval(self.interval) if self.interval else None,
            currency=self.currency,
            created_at=self.created_at,
            started_at=self.started_at,
            interval_since=self.interval_since,
            period_start=self.period_start,
            period_end=self.period_end,
            cancels_at=self.cancels_at,
            ended_at=self.ended_at,
            end_reason=EndReason(self.end_reason) if self.end_reason else None,
            payment_failed_at=self.payment_failed_at,
            observed_at=self.observed_at,
        )
        periods = [
            IntervalPeriod(datetime.fromisoformat(one["since"]), Interval(one["interval"])) for one in self.intervals
        ]
        return SubscriptionRecord(snapshot, tuple(periods))
