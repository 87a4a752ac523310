"""Refusals of payments, with the contract's symbols (contract.md 2.5 and section 1)."""

from __future__ import annotations

from jiki_core.errors import DomainError


class EntitlementNotFound(DomainError):
    """The user has no open entitlement of that source."""

    symbol = "entitlement_not_found"
    status = 404


class PriceTableNotFound(DomainError):
    symbol = "price_table_not_found"
    status = 404


class StripeNoticeNotFound(DomainError):
    symbol = "stripe_notice_not_found"
    status = 404


class PaymentProviderUnavailable(DomainError):
    """Stripe cannot be reached, does not answer in time, or is left alone for a while; nothing was changed here."""

    symbol = "payment_provider_unavailable"
    status = 502


class InvalidInterval(DomainError):
    """`interval` is neither monthly nor annual."""

    symbol = "invalid_interval"
    status = 400


class ExistingSubscription(DomainError):
    """There is a subscription already; it can be changed, not bought again."""

    symbol = "existing_subscription"
    status = 400


class InvalidReturnUrl(DomainError):
    """A checkout may return to our own front-end only."""

    symbol = "invalid_return_url"
    status = 400


class CheckoutFailed(DomainError):
    """Stripe refused to open the checkout; the log says why."""

    symbol = "checkout_failed"
    status = 500


class MissingSessionId(DomainError):
    symbol = "missing_session_id"
    status = 400


class CheckoutNotYours(DomainError):
    """The checkout belongs to somebody else."""

    symbol = "unauthorized"
    status = 403


class CheckoutPaymentIncomplete(DomainError):
    """The checkout was not finished; carries `decline_code`, `interval`, `currency`."""

    symbol = "checkout_payment_incomplete"
    status = 422


class InvalidSession(DomainError):
    """No such checkout, or one that sold nothing of ours."""

    symbol = "invalid_session"
    status = 422


class VerificationFailed(DomainError):
    """Stripe refused to tell about the checkout; the log says why."""

    symbol = "verification_failed"
    status = 500


class NoCustomer(DomainError):
    """Nothing was ever bought, so there is no portal to show."""

    symbol = "no_customer"
    status = 400


class PortalFailed(DomainError):
    symbol = "portal_failed"
    status = 500


class NoSubscription(DomainError):
    symbol = "no_subscription"
    status = 400


class SameInterval(DomainError):
    symbol = "same_interval"
    status = 400


class InvalidStripeRequest(DomainError):
    """Stripe refused the change: of the card (`decline_code`), or because the subscription does not allow it."""

    symbol = "invalid_request"
    status = 422


class UpdateFailed(DomainError):
    symbol = "update_failed"
    status = 500


class CancelFailed(DomainError):
    symbol = "cancel_failed"
    status = 500


class NotCancelling(DomainError):
    symbol = "not_cancelling"
    status = 400


class ReactivateFailed(DomainError):
    symbol = "reactivate_failed"
    status = 500
