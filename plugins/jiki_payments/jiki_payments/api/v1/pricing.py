"""`GET external/pricing`: what premium costs where the visitor is."""

from __future__ import annotations

from jiki_core.http import Blueprint, Reply, reply, trusted_header
from jiki_payments.queries.prices import prices_for_country, prices_json
from jiki_payments.schemas import PricingReply

blp = Blueprint("pricing", __name__, url_prefix="/pricing", description="Prices of premium")


@blp.route("")
@blp.response(200, PricingReply)
def show() -> Reply:
    """The prices of the visitor's country; the standard ones when it is unknown."""
    return reply({"premium_prices": prices_json(prices_for_country(trusted_header("CF-IPCountry")))})
