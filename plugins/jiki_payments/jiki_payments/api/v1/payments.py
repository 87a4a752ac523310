"""`GET internal/payments`: what a user paid."""

from __future__ import annotations

from jiki_core.http import Blueprint, Reply, policy, reply
from jiki_core.security import me
from jiki_payments.queries.payments import payments_of
from jiki_payments.schemas import PaymentsReply

blp = Blueprint("payments", __name__, url_prefix="/payments", description="What a user paid")


@blp.route("")
@policy("payments.subscribe")
@blp.response(200, PaymentsReply)
def index() -> Reply:
    """The user's payments, newest first."""
    return reply({"payments": payments_of(me().user_id)})
