"""Writes down what Stripe told: the one way from there to here (contract.md section 1, "premium")."""

from __future__ import annotations

from dataclasses import dataclass

from jiki_core.db import UnitOfWork
from jiki_payments.alerts import Alert, alert
from jiki_payments.commands.apply_snapshot import apply_snapshot
from jiki_payments.commands.member import account_of
from jiki_payments.commands.record_payment import record_dispute, record_payment
from jiki_payments.queries.standings import owner_of
from jiki_payments.stripe_news import News


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What became of the news; `parked` says, in sentences, what could not be used as things are."""

    user_id: int | None
    parked: tuple[str, ...] = ()


def absorb_news(uow: UnitOfWork, news: News, *, is_news: bool = True) -> Absorbed:
    """Repeating it, or bringing it late, changes nothing more. `is_news=False` mails nobody about the past."""
    parked: list[str] = []
    user_id = None
    for snapshot in news.subscriptions:
        user_id = owner_of(snapshot.subscription_id, snapshot.customer_id)
        named = (news.named_users or {}).get(snapshot.subscription_id)
        if user_id is None and named is not None and account_of(named) is not None:
            user_id = named
        if user_id is None:
            alert(Alert.UNKNOWN_USER, subscription_id=snapshot.subscription_id, customer_id=snapshot.customer_id)
            parked.append(f"nobody here has the subscription {snapshot.subscription_id}")
            continue
        if apply_snapshot(uow, user_id, snapshot, is_news=is_news).is_parked:
            parked.append(f"the price {snapshot.price_id} of {snapshot.subscription_id} is none of ours")
    for paid in news.invoices:
        owner = owner_of(paid.subscription_id, paid.customer_id)
        if owner is None:
            parked.append(f"nobody here has the invoice {paid.invoice_id}")
            continue
        user_id = owner
        record_payment(uow, owner, paid, is_news=is_news)
    for dispute in news.disputes:
        if not record_dispute(uow, dispute):
            parked.append(f"no payment here was made by the charge {dispute.charge_id}")
    return Absorbed(user_id, tuple(parked))
