"""Handles a notice: asks Stripe how its object is by now, and writes that down. Calls outside."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from sqlalchemy import select, update

from jiki_core.db import UnitOfWork, reading
from jiki_core.observability import counter, histogram
from jiki_payments.alerts import Alert, alert
from jiki_payments.commands.absorb_news import absorb_news
from jiki_payments.models import NoticeState, StripeNotice
from jiki_payments.notices import Notice, Subject
from jiki_payments.stripe_gateway import StripeGateway, StripeRefused
from jiki_payments.stripe_news import (
    News,
    news_of_charge,
    news_of_checkout,
    news_of_dispute,
    news_of_invoice,
    news_of_refund,
    news_of_subscription,
)
from jiki_payments.stripe_snapshots import UnreadableSubscription

_handled = counter("jiki_payments_notices_total", "Stripe's notices handled", ["subject", "outcome"])
_lag = histogram(
    "jiki_payments_notice_lag_seconds",
    "Time from an event at Stripe to its effect here",
    buckets=(0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 3_600.0, 86_400.0),
)

_FETCHERS: dict[Subject, Callable[[StripeGateway, str], News]] = {
    Subject.SUBSCRIPTION: news_of_subscription,
    Subject.CHECKOUT: news_of_checkout,
    Subject.INVOICE: news_of_invoice,
    Subject.CHARGE: news_of_charge,
    Subject.REFUND: news_of_refund,
    Subject.DISPUTE: news_of_dispute,
}


def handle_notice(
    stripe: StripeGateway, event_id: str, settling: Callable[[], AbstractContextManager[UnitOfWork]]
) -> NoticeState | None:
    """What became of it; None for one that is unknown here or done already. `settling` opens the unit to write in.

    What Stripe refuses to show, or shows in a way we cannot use, is parked with its reason. Raises
    PaymentProviderUnavailable; then it is to be tried again.
    """
    stored = reading().execute(select(StripeNotice).where(StripeNotice.event_id == event_id)).scalar_one_or_none()
    if stored is None or stored.state not in (NoticeState.NEW, NoticeState.PARKED):
        return None
    notice = Notice(stored.event_id, stored.type, stored.object_type, stored.object_id, stored.happened_at)
    fetch = _FETCHERS.get(notice.subject)
    news, reasons = News(), []
    try:
        if fetch is not None:
            news = fetch(stripe, notice.object_id)
    except UnreadableSubscription as error:
        alert(Alert.UNREADABLE, event_id=event_id, error=str(error))
        reasons.append(str(error))
    except StripeRefused as error:
        reasons.append(f"Stripe does not show {notice.object_id}: {error}")
    with settling() as uow:
        reasons += absorb_news(uow, news).parked
        state = NoticeState.PARKED if reasons else NoticeState.HANDLED
        uow.session.execute(
            update(StripeNotice)
            .where(StripeNotice.event_id == event_id)
            .values(state=state, reason="; ".join(reasons) or None, handled_at=uow.now)
        )
    _handled.labels(notice.subject, state).inc()
    _lag.observe(max(0.0, (datetime.now(UTC) - notice.happened_at).total_seconds()))
    return state
