"""Money: what was paid, given back and contested. Books outlive their users: `user_id` becomes null."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import IdentityKey, Timestamp
from jiki_payments.models.base import PaymentsModel


class Payment(PaymentsModel):
    """A paid invoice, once, also one over nothing (a trial, a voucher)."""

    __tablename__ = "payments"

    id: Mapped[IdentityKey]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id", ondelete="SET NULL"))
    stripe_invoice_id: Mapped[str] = mapped_column(Text)
    stripe_subscription_id: Mapped[str | None] = mapped_column(Text)
    stripe_charge_id: Mapped[str | None] = mapped_column(Text)
    stripe_payment_intent_id: Mapped[str | None] = mapped_column(Text)
    #: Stripe's minor units of `currency`
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)
    product: Mapped[str] = mapped_column(Text, server_default=text("'premium'"))
    amount_refunded: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    receipt_url: Mapped[str | None] = mapped_column(Text)
    #: where the card that paid was issued
    card_country: Mapped[str | None] = mapped_column(Text)
    paid_at: Mapped[Timestamp]
    #: when Stripe was asked for what stands here
    observed_at: Mapped[Timestamp] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount"),
        Index("payments_stripe_invoice_id_key", "stripe_invoice_id", unique=True),
        Index("payments_user_id_idx", "user_id", "paid_at"),
        Index("payments_stripe_charge_id_idx", "stripe_charge_id"),
    )


class Refund(PaymentsModel):
    __tablename__ = "refunds"

    refund_id: Mapped[str] = mapped_column(Text, primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.payments.id", ondelete="CASCADE"))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    refunded_at: Mapped[Timestamp]

    __table_args__ = (Index("refunds_payment_id_idx", "payment_id"),)


class Dispute(PaymentsModel):
    __tablename__ = "disputes"

    dispute_id: Mapped[str] = mapped_column(Text, primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.payments.id", ondelete="CASCADE"))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    opened_at: Mapped[Timestamp]
    #: when Stripe was asked for what stands here
    observed_at: Mapped[Timestamp]

    __table_args__ = (Index("disputes_payment_id_idx", "payment_id"),)
