"""Bodies that payments' routes take and give."""

from __future__ import annotations

from jiki_core.http import PageQuery, Schema, fields
from jiki_payments.checkout_states import PaymentState
from jiki_payments.models import GIVEN_BY_HAND, NoticeState
from jiki_payments.stripe_snapshots import Interval
from jiki_payments.stripe_states import SubscriptionStatus

_INTERVALS = tuple(interval.value for interval in Interval)
_SOURCES = tuple(source.value for source in GIVEN_BY_HAND)


class PremiumPricesShape(Schema):
    """Amounts in Stripe's minor units of the currency."""

    currency = fields.Text(required=True)
    monthly = fields.Whole(required=True)
    annual = fields.Whole(required=True)
    country_code = fields.Text(required=True, allow_none=True)


class PricingReply(Schema):
    premium_prices = fields.Nested(PremiumPricesShape, required=True)
    meta = fields.Dict(required=True)


class CheckoutBody(Schema):
    """`interval` and `return_url` have refusals of their own, so any value is let through to them."""

    ignored = frozenset({"customer_email"})

    interval = fields.Raw(allow_none=True, load_default=None, metadata={"enum": [*_INTERVALS, None]})
    return_url = fields.Raw(allow_none=True, load_default=None, metadata={"type": "string"})
    trigger = fields.Text(allow_none=True, allow_blank=True, load_default=None, maximum=200)


class CheckoutReply(Schema):
    client_secret = fields.Text(required=True)
    meta = fields.Dict(required=True)


class VerifyBody(Schema):
    session_id = fields.Raw(allow_none=True, load_default=None, metadata={"type": "string"})


class VerifiedReply(Schema):
    success = fields.Flag(required=True)
    interval = fields.Choice(_INTERVALS, required=True)
    payment_status = fields.Text(required=True)
    payment_state = fields.Choice(tuple(state.value for state in PaymentState), required=True)
    decline_code = fields.Text(required=True, allow_none=True)
    subscription_status = fields.Choice(tuple(status.value for status in SubscriptionStatus), required=True)
    meta = fields.Dict(required=True)


class PortalReply(Schema):
    url = fields.Text(required=True)
    meta = fields.Dict(required=True)


class IntervalBody(Schema):
    interval = fields.Raw(allow_none=True, load_default=None, metadata={"enum": list(_INTERVALS)})


class UpdatedReply(Schema):
    success = fields.Flag(required=True)
    interval = fields.Choice(_INTERVALS, required=True)
    effective_at = fields.Choice(("immediate",), required=True)
    subscription_valid_until = fields.Moment(required=True, allow_none=True)
    meta = fields.Dict(required=True)


class CancelledReply(Schema):
    success = fields.Flag(required=True)
    cancels_at = fields.Moment(required=True, allow_none=True)
    meta = fields.Dict(required=True)


class ReactivatedReply(Schema):
    success = fields.Flag(required=True)
    subscription_valid_until = fields.Moment(required=True, allow_none=True)
    meta = fields.Dict(required=True)


class PaymentShape(Schema):
    id = fields.Whole(required=True)
    amount_in_cents = fields.Whole(required=True)
    currency = fields.Text(required=True)
    product = fields.Choice(("premium",), required=True)
    external_receipt_url = fields.Text(required=True, allow_none=True)
    paid_at = fields.Moment(required=True)


class PaymentsReply(Schema):
    payments = fields.List(fields.Nested(PaymentShape), required=True)
    meta = fields.Dict(required=True)


class PageShape(Schema):
    current_page = fields.Whole(required=True)
    total_count = fields.Whole(required=True)
    total_pages = fields.Whole(required=True)


class EntitlementsQuery(PageQuery):
    user_id = fields.Text(load_default="", allow_blank=True)


class EntitlementBody(Schema):
    user_id = fields.Whole(required=True, minimum=1)
    source = fields.Choice(_SOURCES, load_default="grant")
    expires_at = fields.Moment(allow_none=True, load_default=None)
    note = fields.Text(allow_none=True, load_default=None, maximum=2_000)


class EntitlementShape(Schema):
    id = fields.Whole(required=True)
    user_id = fields.Whole(required=True)
    entitlement = fields.Text(required=True)
    source = fields.Text(required=True)
    granted_at = fields.Moment(required=True)
    expires_at = fields.Moment(required=True, allow_none=True)
    revoked_at = fields.Moment(required=True, allow_none=True)
    granted_by = fields.Whole(required=True, allow_none=True)
    note = fields.Text(required=True, allow_none=True)


class EntitlementReply(Schema):
    entitlement = fields.Nested(EntitlementShape, required=True)


class EntitlementsReply(Schema):
    results = fields.List(fields.Nested(EntitlementShape), required=True)
    meta = fields.Nested(PageShape, required=True)


class AmountsShape(Schema):
    monthly = fields.Whole(required=True)
    annual = fields.Whole(required=True)


class PriceTableBody(Schema):
    version = fields.Text(required=True, maximum=100)
    default_currency = fields.Text(required=True, maximum=3)
    currency_by_country = fields.Dict(keys=fields.Text(maximum=2), values=fields.Text(maximum=3), required=True)
    amounts = fields.Dict(keys=fields.Text(maximum=3), values=fields.Nested(AmountsShape), required=True)
    note = fields.Text(allow_none=True, load_default=None, maximum=2_000)


class PriceTableRowShape(Schema):
    version = fields.Text(required=True)
    default_currency = fields.Text(required=True)
    note = fields.Text(required=True, allow_none=True)
    created_at = fields.Moment(required=True, allow_none=True)
    published_at = fields.Moment(required=True, allow_none=True)
    in_force = fields.Flag(required=True)


class PriceTableShape(PriceTableRowShape):
    currency_by_country = fields.Dict(required=True)
    amounts = fields.Dict(required=True)


class PriceTablesReply(Schema):
    price_tables = fields.List(fields.Nested(PriceTableRowShape), required=True)


class PriceTableReply(Schema):
    price_table = fields.Nested(PriceTableShape, required=True)


class StripeNoticesQuery(PageQuery):
    state = fields.Choice(NoticeState, load_default="")
    type = fields.Text(load_default="")


class StripeNoticeShape(Schema):
    event_id = fields.Text(required=True)
    type = fields.Text(required=True)
    object_type = fields.Text(required=True)
    object_id = fields.Text(required=True)
    happened_at = fields.Moment(required=True)
    received_at = fields.Moment(required=True)
    handled_at = fields.Moment(required=True, allow_none=True)
    state = fields.Choice(tuple(state.value for state in NoticeState), required=True)
    reason = fields.Text(required=True, allow_none=True)


class StripeNoticesReply(Schema):
    results = fields.List(fields.Nested(StripeNoticeShape), required=True)
    meta = fields.Nested(PageShape, required=True)


class StripeNoticeReply(Schema):
    stripe_notice = fields.Nested(StripeNoticeShape, required=True)
