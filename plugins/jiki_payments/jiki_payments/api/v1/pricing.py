"""`GET external/pricing`: what premium costs where the visitor is."""

from __future__ import annotations

from jiki_core.http import Blueprint, Reply, reply
from jiki_payments.api.v1.whereabouts import decide_here
from jiki_payments.queries.prices import prices_json
from jiki_payments.schemas import PricingReply

blp = Blueprint("pricing", __name__, url_prefix="/pricing", description="Prices of premium")


@blp.route("")
@blp.response(200, PricingReply)
def show() -> Reply:
    """The prices of the visitor's country; the standard ones when it is unknown, or the address hides its user."""
    return reply({"premium_prices": prices_json(decide_here().prices)})
