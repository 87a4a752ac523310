"""Figures for operators, from our own books."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from jiki_core.db import reading
from jiki_payments.models import (
    Dispute,
    Entitlement,
    MoveState,
    NoticeState,
    Payment,
    PriceMove,
    StripeNotice,
    Subscription,
)
from jiki_payments.queries.entitlements import is_active

DAYS = 30


def premium_report() -> dict[str, dict[str, Any]]:
    """Sections of name -> figure; amounts in minor units by currency."""
    since = datetime.now(UTC) - timedelta(days=DAYS)
    return {
        "premium_members_by_source": _counts(
            select(Entitlement.source, func.count(Entitlement.user_id.distinct()))
            .where(is_active())
            .group_by(Entitlement.source)
        ),
        "subscriptions_by_status": _counts(
            select(Subscription.status + " " + func.coalesce(Subscription.interval, "?"), func.count()).group_by(
                Subscription.status, Subscription.interval
            )
        ),
        f"money_of_{DAYS}_days": {
            row.currency: {"payments": row.payments, "paid": int(row.paid), "refunded": int(row.refunded)}
            for row in reading().execute(
                select(
                    Payment.currency,
                    func.count().label("payments"),
                    func.sum(Payment.amount).label("paid"),
                    func.sum(Payment.amount_refunded).label("refunded"),
                )
                .where(Payment.paid_at > since)
                .group_by(Payment.currency)
                .order_by(Payment.currency)
            )
        },
        "waits_for_somebody": _counts(
            select(StripeNotice.state + " notices", func.count())
            .where(StripeNotice.state.in_([NoticeState.PARKED, NoticeState.UNKNOWN, NoticeState.NEW]))
            .group_by(StripeNotice.state)
        )
        | _counts(
            select(Dispute.status + " disputes", func.count())
            .where(Dispute.status.in_(["needs_response", "warning_needs_response"]))
            .group_by(Dispute.status)
        )
        | _counts(
            select(PriceMove.state + " price moves", func.count())
            .where(PriceMove.state == MoveState.PLANNED)
            .group_by(PriceMove.state)
        ),
    }


def _counts(query: Any) -> dict[str, int]:
    return {str(name): int(count) for name, count in sorted(reading().execute(query).all())}
