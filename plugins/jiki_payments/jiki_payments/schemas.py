"""Bodies that payments' routes take and give."""

from __future__ import annotations

from jiki_core.http import Schema, fields


class PremiumPricesShape(Schema):
    """Amounts in Stripe's minor units of the currency."""

    currency = fields.Text(required=True)
    monthly = fields.Whole(required=True)
    annual = fields.Whole(required=True)
    country_code = fields.Text(required=True, allow_none=True)


class PricingReply(Schema):
    premium_prices = fields.Nested(PremiumPricesShape, required=True)
    meta = fields.Dict(required=True)
