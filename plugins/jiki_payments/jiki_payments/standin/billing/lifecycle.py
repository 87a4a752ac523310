"""What time brings: sessions and first payments that expire, cancellations that take effect, renewals,
retries.

Everything due is done in the order in which it fell due, each at its own moment, however far the clock was
advanced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from jiki_payments.standin.billing import checkout, subscriptions
from jiki_payments.standin.state import JsonObject, State


class Due(NamedTuple):
    """Something that happens at `moment` (seconds) unless something else comes first."""

    moment: int
    identifier: str
    act: Callable[[State, JsonObject], object]
    thing: JsonObject


def run_due(state: State, timeline: str | None, until: int) -> None:
    """Do all that falls due on a timeline up to and including `until`."""
    while (first := min(_due(state, timeline), default=None, key=lambda due: due[:2])) is not None:
        if first.moment > until:
            return
        with state.clock.at(first.moment, timeline):
            first.act(state, first.thing)


def advance(state: State, timeline: str | None, to: int) -> None:
    """Move a timeline's clock to `to` (seconds), doing on the way all that falls due. ValueError when it
    lies behind.
    """
    run_due(state, timeline, to)
    state.clock.move_to(to, timeline)


def _due(state: State, timeline: str | None) -> Iterator[Due]:
    for session in state.all("checkout.session", status="open"):
        if state.timeline_of(session["customer"]) == timeline:
            yield Due(session["expires_at"], session["id"], checkout.expire, session)
    for subscription in state.all("subscription", ended_at=None):
        if subscription["test_clock"] == timeline:
            yield from _due_of_subscription(state, subscription)


def _due_of_subscription(state: State, subscription: JsonObject) -> Iterator[Due]:
    identifier = subscription["id"]
    if subscription["status"] == "incomplete":
        moment = subscription["created"] + subscriptions.FIRST_PAYMENT_SECONDS
        yield Due(moment, identifier, _expire_first_payment, subscription)
        return
    period_end = subscriptions.item_of(subscription)["current_period_end"]
    cancel_at = period_end if subscription["cancel_at_period_end"] else subscription["cancel_at"]
    if cancel_at is not None and cancel_at <= period_end:
        yield Due(cancel_at, identifier, _cancel, subscription)
    else:
        yield Due(period_end, identifier, subscriptions.renew, subscription)
    if subscription["status"] == "past_due":
        retry_at = state.get("invoice", subscription["latest_invoice"])["next_payment_attempt"]
        if retry_at is not None:
            yield Due(retry_at, identifier, subscriptions.collect_latest, subscription)


def _expire_first_payment(state: State, subscription: JsonObject) -> None:
    subscriptions.end(state, subscription, "payment_failed")


def _cancel(state: State, subscription: JsonObject) -> None:
    subscriptions.end(state, subscription, "cancellation_requested")
