"""Books: paid invoices, refunds and disputes, each once however often it is told (contract.md 7.14)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import UnitOfWork
from jiki_core.jobs.tracking import track
from jiki_payments.alerts import Alert, alert
from jiki_payments.commands.check_card import check_card
from jiki_payments.commands.member import lock_member
from jiki_payments.models import Dispute, Payment, Refund
from jiki_payments.stripe_invoices import PaidInvoice
from jiki_payments.stripe_news import DisputeSnapshot


def record_payment(uow: UnitOfWork, user_id: int, paid: PaidInvoice, *, is_news: bool = True) -> int:
    """Returns the payment's id. An older observation than the one in the books changes nothing."""
    lock_member(uow, user_id)
    payment = uow.session.scalar(
        select(Payment)
        .where(Payment.stripe_invoice_id == paid.invoice_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    is_new = payment is None
    if payment is None:
        payment = Payment(user_id=user_id, stripe_invoice_id=paid.invoice_id, observed_at=paid.observed_at)
        uow.session.add(payment)
    elif payment.observed_at > paid.observed_at:
        return payment.id
    payment.stripe_subscription_id = paid.subscription_id
    payment.stripe_charge_id = paid.charge_id
    payment.stripe_payment_intent_id = paid.payment_intent_id
    payment.amount, payment.currency = paid.amount, paid.currency
    payment.amount_refunded = paid.amount_refunded
    payment.receipt_url, payment.card_country = paid.receipt_url, paid.card_country
    payment.paid_at, payment.observed_at = paid.paid_at, paid.observed_at
    uow.session.flush()
    _record_refunds(uow, payment.id, paid)
    if is_new and is_news:
        properties = {"amount": paid.amount, "currency": paid.currency}
        track(uow, "payments.payment_made", user_id=user_id, properties=properties)
        check_card(uow, user_id, paid)
    return payment.id


def record_dispute(uow: UnitOfWork, dispute: DisputeSnapshot) -> bool:
    """False when the charge is in no book of ours."""
    payment = uow.session.execute(
        select(Payment.id, Payment.user_id).where(Payment.stripe_charge_id == dispute.charge_id)
    ).one_or_none()
    if payment is None:
        return False
    statement = insert(Dispute).values(
        dispute_id=dispute.dispute_id,
        payment_id=payment.id,
        amount=dispute.amount,
        currency=dispute.currency,
        status=dispute.status,
        reason=dispute.reason,
        opened_at=dispute.opened_at,
        observed_at=dispute.observed_at,
    )
    changed = uow.session.execute(
        statement.on_conflict_do_update(
            index_elements=[Dispute.dispute_id],
            set_={"status": statement.excluded.status, "observed_at": statement.excluded.observed_at},
            where=(Dispute.observed_at < statement.excluded.observed_at)
            & (Dispute.status != statement.excluded.status),
        ).returning(Dispute.dispute_id)
    ).scalar_one_or_none()
    if changed is not None:
        facts = {"dispute_id": dispute.dispute_id, "status": dispute.status, "reason": dispute.reason}
        alert(Alert.DISPUTE, user_id=payment.user_id, **facts)
        uow.audit("payment:disputed", target_type="payment", target_id=payment.id, after=facts, plugin="payments")
    return True


def _record_refunds(uow: UnitOfWork, payment_id: int, paid: PaidInvoice) -> None:
    for one in paid.refunds:
        statement = insert(Refund).values(
            refund_id=one.refund_id,
            payment_id=payment_id,
            amount=one.amount,
            currency=one.currency,
            status=one.status,
            reason=one.reason,
            refunded_at=one.refunded_at,
        )
        uow.session.execute(
            statement.on_conflict_do_update(
                index_elements=[Refund.refund_id], set_={"status": statement.excluded.status}
            )
        )
