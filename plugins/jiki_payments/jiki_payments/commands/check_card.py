"""The card's country must agree with the price's at payment, else the subscription moves (contract.md section 1, PPP)."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import UnitOfWork
from jiki_payments.commands.decide_price import Decision, record_decision
from jiki_payments.models import Occasion, Payment, PriceMove
from jiki_payments.price_rules import Basis
from jiki_payments.pricing import card_agrees_with_currency, standard_price
from jiki_payments.queries.prices import current_table
from jiki_payments.stripe_invoices import PaidInvoice


def check_card(uow: UnitOfWork, user_id: int, paid: PaidInvoice) -> bool:
    """Whether the card may keep the price; plans the move to the standard one when it may not. The payment is in the books.

    Looked at once for each card's country of a subscription: a later change of the price table moves nobody. A payment
    without a card shows nothing and is not judged.
    """
    if not paid.is_card or paid.amount == 0 or paid.subscription_id is None or _was_seen(uow, paid):
        return True
    table = current_table()
    if card_agrees_with_currency(table, paid.currency, paid.card_country):
        return True
    planned = uow.session.execute(
        insert(PriceMove)
        .values(
            subscription_id=paid.subscription_id,
            user_id=user_id,
            from_currency=paid.currency,
            to_currency=table.default_currency,
            card_country=paid.card_country,
            planned_at=uow.now,
        )
        .on_conflict_do_nothing()
        .returning(PriceMove.subscription_id)
    ).scalar_one_or_none()
    if planned is not None:
        evidence = {"card_country": paid.card_country, "paid_currency": paid.currency, "invoice": paid.invoice_id}
        decision = Decision(None, Basis.CARD, standard_price(table), table.version, evidence)
        record_decision(uow, user_id, Occasion.CARD, decision)
        from jiki_payments.jobs import move_to_standard_price  # the job calls commands, which end here

        uow.enqueue(move_to_standard_price, subscription_id=paid.subscription_id)
    return False


def _was_seen(uow: UnitOfWork, paid: PaidInvoice) -> bool:
    others = select(func.count()).where(
        Payment.stripe_subscription_id == paid.subscription_id,
        Payment.stripe_invoice_id != paid.invoice_id,
        Payment.stripe_charge_id.is_not(None),
        Payment.card_country.is_not_distinct_from(paid.card_country),
    )
    return uow.session.execute(others).scalar_one() > 0
