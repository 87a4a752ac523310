"""Alerts of payments: what somebody has to look at. A counter that alarms watch, and a line that says what to do."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from jiki_core.observability import counter, get_logger

log = get_logger(__name__)
_alerts = counter("jiki_payments_alerts_total", "Things that somebody has to look at", ["kind"])


class Alert(StrEnum):
    """What is wrong; also the metric's label."""

    #: a live subscription at a price we do not sell
    UNKNOWN_PRICE = "unknown_price"
    #: somebody pays for two subscriptions
    SEVERAL_SUBSCRIPTIONS = "several_subscriptions"
    #: a subscription, invoice or customer that belongs to nobody here
    UNKNOWN_USER = "unknown_user"
    #: an answer of Stripe's that we cannot read
    UNREADABLE = "unreadable"
    #: a kind of notice that nobody here has heard of
    UNKNOWN_NOTICE = "unknown_notice"
    DISPUTE = "dispute"


_REMEDIES = {
    Alert.UNKNOWN_PRICE: "name it in [payments] monthly_price_ids or annual_price_ids, then flask payments replay --parked",
    Alert.SEVERAL_SUBSCRIPTIONS: "cancel and refund one of them at Stripe",
    Alert.UNKNOWN_USER: "give the subscription the metadata user_id at Stripe, then flask payments replay --parked",
    Alert.UNREADABLE: "see that the webhook endpoint at Stripe has the API version of stripe_gateway.py",
    Alert.UNKNOWN_NOTICE: "if it matters, teach notices.py; else take it off the webhook endpoint at Stripe",
    Alert.DISPUTE: "answer it at Stripe before it is due",
}


def alert(kind: Alert, **facts: Any) -> None:
    """Counts and tells; never raises."""
    _alerts.labels(kind).inc()
    log.error("payments_alert", kind=str(kind), remedy=_REMEDIES[kind], **facts)
