"""A user's payments, as the wire shows them (contract.md 2.2, `Payment`)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from jiki_core.db import reading
from jiki_core.http import timestamp
from jiki_payments.models import Payment


def payments_of(user_id: int) -> list[dict[str, Any]]:
    """Newest first, unpaginated."""
    query = (
        select(Payment.id, Payment.amount, Payment.currency, Payment.product, Payment.receipt_url, Payment.paid_at)
        .where(Payment.user_id == user_id)
        .order_by(Payment.paid_at.desc(), Payment.id.desc())
    )
    return [
        {
            "id": row.id,
            "amount_in_cents": row.amount,
            "currency": row.currency,
            "product": row.product,
            "external_receipt_url": row.receipt_url,
            "paid_at": timestamp(row.paid_at),
        }
        for row in reading().execute(query)
    ]
