"""What payments keeps about a person, for export and erasure. Books stay, without the person (models/payment.py)."""

from __future__ import annotations

from jiki_core.plugins import PersonalTable, anonymise, retain

_BOOKS = "the books of a business are kept as long as the law says; they no longer lead to the person"

PERSONAL_DATA = (
    PersonalTable("members", "user_id", ("stripe_customer_id", "price_country_code", "price_override", "created_at")),
    PersonalTable(
        "entitlements", "user_id", ("entitlement", "source", "granted_at", "expires_at", "revoked_at", "note")
    ),
    PersonalTable(
        "subscriptions",
        "user_id",
        ("subscription_id", "status", "interval", "currency", "started_at", "period_end", "cancels_at", "ended_at"),
    ),
    PersonalTable(
        "payments",
        "user_id",
        ("stripe_invoice_id", "amount", "currency", "product", "amount_refunded", "card_country", "paid_at"),
        anonymise(user_id=None, receipt_url=None),
    ),
    PersonalTable("refunds", "payment_id.user_id", ("amount", "currency", "reason", "refunded_at"), retain(_BOOKS)),
    PersonalTable("disputes", "payment_id.user_id", ("amount", "currency", "reason", "opened_at"), retain(_BOOKS)),
    PersonalTable(
        "price_decisions", "user_id", ("decided_at", "occasion", "country_code", "currency", "basis", "evidence")
    ),
    PersonalTable("price_moves", "user_id", ("from_currency", "to_currency", "card_country", "state", "planned_at")),
)
