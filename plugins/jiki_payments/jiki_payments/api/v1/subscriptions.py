"""`internal/subscriptions/*`: buying premium and changing it (contract.md 2.5 and 3.12)."""

from __future__ import annotations

from typing import Any

from jiki_core.db import unit_of_work
from jiki_core.http import Blueprint, Reply, policy, reply, timestamp
from jiki_core.runtime import runtime
from jiki_core.security import me
from jiki_payments.api.v1.whereabouts import decide_here, idempotency_key
from jiki_payments.commands import manage_subscription
from jiki_payments.commands.decide_price import record_decision
from jiki_payments.commands.open_checkout import CheckoutRequest, open_checkout
from jiki_payments.commands.verify_checkout import verify_checkout
from jiki_payments.errors import (
    CancelFailed,
    CheckoutFailed,
    CheckoutNotYours,
    CheckoutPaymentIncomplete,
    ExistingSubscription,
    InvalidInterval,
    InvalidReturnUrl,
    InvalidSession,
    InvalidStripeRequest,
    MissingSessionId,
    NoCustomer,
    NoSubscription,
    NotCancelling,
    PaymentProviderUnavailable,
    PortalFailed,
    ReactivateFailed,
    SameInterval,
    UpdateFailed,
    VerificationFailed,
)
from jiki_payments.models import Occasion
from jiki_payments.queries.prices import prices_json
from jiki_payments.return_urls import is_allowed_return_url
from jiki_payments.schemas import (
    CancelledReply,
    CheckoutBody,
    CheckoutReply,
    IntervalBody,
    PortalReply,
    PricingReply,
    ReactivatedReply,
    UpdatedReply,
    VerifiedReply,
    VerifyBody,
)
from jiki_payments.settings import payments_settings
from jiki_payments.stripe_gateway import stripe_gateway
from jiki_payments.stripe_snapshots import Interval

blp = Blueprint("subscriptions", __name__, url_prefix="/subscriptions", description="Buying premium and changing it")


@blp.route("/checkout_session", methods=["POST"])
@policy("payments.subscribe")
@blp.arguments(CheckoutBody)
@blp.response(200, CheckoutReply)
@blp.raises(InvalidInterval, ExistingSubscription, InvalidReturnUrl, CheckoutFailed, PaymentProviderUnavailable)
def checkout_session(body: dict[str, Any]) -> Reply:
    """Opens a checkout; the client secret is for Stripe's elements in the page."""
    interval = _interval("monthly" if body["interval"] is None else body["interval"])
    if not is_allowed_return_url(body["return_url"], _return_origins()):
        raise InvalidReturnUrl()
    user_id = me().user_id
    wanted = CheckoutRequest(user_id, interval, body["return_url"], body["trigger"], idempotency_key())
    return reply({"client_secret": open_checkout(stripe_gateway(), wanted, decide_here(user_id))})


@blp.route("/verify_checkout", methods=["POST"])
@policy("payments.subscribe")
@blp.arguments(VerifyBody)
@blp.response(200, VerifiedReply)
@blp.raises(MissingSessionId, CheckoutNotYours, CheckoutPaymentIncomplete, InvalidSession)
@blp.raises(VerificationFailed, PaymentProviderUnavailable)
def verify(body: dict[str, Any]) -> Reply:
    """What became of a checkout that came back; premium begins here, or with Stripe's notice, whichever is first."""
    session_id = body["session_id"]
    if not isinstance(session_id, str) or not session_id.strip():
        raise MissingSessionId()
    done = verify_checkout(stripe_gateway(), me().user_id, session_id.strip())
    return reply(
        {
            "success": True,
            "interval": done.interval,
            "payment_status": done.payment_status,
            "payment_state": done.payment_state,
            "decline_code": done.decline_code,
            "subscription_status": done.subscription_status,
        }
    )


@blp.route("/portal_session", methods=["POST"])
@policy("payments.subscribe")
@blp.response(200, PortalReply)
@blp.raises(NoCustomer, PortalFailed, PaymentProviderUnavailable)
def portal_session() -> Reply:
    """A page of Stripe's for cards and invoices."""
    return_url = f"{runtime().settings.frontend_url.rstrip('/')}/settings/subscription"
    return reply({"url": manage_subscription.open_portal(stripe_gateway(), me().user_id, return_url)})


@blp.route("/update", methods=["POST"])
@policy("payments.subscribe")
@blp.arguments(IntervalBody)
@blp.response(200, UpdatedReply)
@blp.raises(InvalidInterval, NoSubscription, SameInterval, InvalidStripeRequest)
@blp.raises(UpdateFailed, PaymentProviderUnavailable)
def update(body: dict[str, Any]) -> Reply:
    """Changes the interval now; what was paid is taken into account."""
    interval = _interval(body["interval"])
    standing = manage_subscription.change_interval(stripe_gateway(), me().user_id, interval)
    return reply(
        {
            "success": True,
            "interval": standing.interval,
            "effective_at": "immediate",
            "subscription_valid_until": timestamp(standing.valid_until, milliseconds=True),
        }
    )


@blp.route("/cancel", methods=["DELETE"])
@policy("payments.subscribe")
@blp.response(200, CancelledReply)
@blp.raises(NoSubscription, CancelFailed, PaymentProviderUnavailable)
def cancel() -> Reply:
    """Ends the subscription when what is paid is over; a repeat is fine."""
    standing = manage_subscription.cancel(stripe_gateway(), me().user_id)
    cancels_at = standing.cancels_at or standing.valid_until
    return reply({"success": True, "cancels_at": timestamp(cancels_at, milliseconds=True)})


@blp.route("/reactivate", methods=["POST"])
@policy("payments.subscribe")
@blp.response(200, ReactivatedReply)
@blp.raises(NoSubscription, NotCancelling, InvalidStripeRequest, ReactivateFailed, PaymentProviderUnavailable)
def reactivate() -> Reply:
    """Takes a cancellation back."""
    standing = manage_subscription.reactivate(stripe_gateway(), me().user_id)
    until = timestamp(standing.valid_until, milliseconds=True)
    return reply({"success": True, "subscription_valid_until": until})


@blp.route("/refresh_price", methods=["POST"])
@policy("payments.subscribe")
@blp.response(200, PricingReply)
def refresh_price() -> Reply:
    """For somebody who moved: decides the price anew, from where this request comes from."""
    user_id = me().user_id
    decision = decide_here(user_id)
    with unit_of_work() as uow:
        record_decision(uow, user_id, Occasion.REFRESH, decision)
    return reply({"premium_prices": prices_json(decision.prices)})


def _interval(value: object) -> Interval:
    if value not in list(Interval):
        raise InvalidInterval()
    return Interval(str(value))


def _return_origins() -> set[str]:
    settings = runtime().settings
    development = settings.allowed_origins if settings.is_development else ()
    return {settings.frontend_url, *payments_settings().return_origins, *development}
