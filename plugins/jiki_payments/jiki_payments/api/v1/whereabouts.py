"""What the routes of payments read off a request: where its sender is, and the idempotency key they sent."""

from __future__ import annotations

from flask import request

from jiki_core.db import reading
from jiki_core.http import client_address, trusted_header
from jiki_payments.commands.decide_price import Decision, decide_price
from jiki_payments.commands.member import account_of
from jiki_payments.models import Member

#: a CDN says where a visitor is; believed from a trusted proxy only
COUNTRY_HEADERS = ("CF-IPCountry", "CloudFront-Viewer-Country")


def decide_here(user_id: int | None = None) -> Decision:
    """The price where the request comes from, for a visitor or for a user."""
    header = next((value for name in COUNTRY_HEADERS if (value := trusted_header(name))), None)
    account = account_of(user_id) if user_id is not None else None
    member = reading().get(Member, user_id, populate_existing=True) if user_id is not None else None
    return decide_price(
        header=header,
        address=client_address(),
        account=account.country_code if account else None,
        operator=member.price_override if member else None,
    )


def idempotency_key() -> str | None:
    """The caller's own key, which we hand on to Stripe."""
    return request.headers.get("Idempotency-Key")
