"""The one way to Stripe: the official SDK with a pinned API version, time-outs, a breaker, and errors we can act on.

No unit of work may be open: prepare (commit) -> call -> settle (commit). Whatever creates or charges carries an
idempotency key, so that a call whose answer was lost is repeated without a second effect. With STRIPE_API_BASE the same
code talks to the stand-in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, current_app

from jiki_core.db.unit_of_work import refuse_inside_unit
from jiki_core.observability import counter, get_logger, histogram
from jiki_payments.breaker import Breaker, CircuitOpen
from jiki_payments.errors import PaymentProviderUnavailable
from jiki_payments.settings import PaymentsSettings

if TYPE_CHECKING:
    import stripe

API_VERSION = "2026-05-27.dahlia"
"""Pinned here and on the webhook endpoint: dahlia has periods on items and payments on invoices (contract.md 3.12)."""

PAGE = 100
_EXTENSION = "jiki_payments.stripe"

JsonObject = dict[str, Any]
log = get_logger(__name__)
_calls = counter("jiki_payments_stripe_calls_total", "Calls to Stripe", ["call", "outcome"])
_seconds = histogram("jiki_payments_stripe_seconds", "Time Stripe took", ["call"])


class StripeRefused(Exception):
    """Stripe answered that it will not; asking again will not help."""

    def __init__(self, message: str, *, code: str | None = None, decline_code: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        #: of a card that was declined, None otherwise
        self.decline_code = decline_code

    @property
    def is_missing(self) -> bool:
        """There is no such object, or none any more."""
        return self.code == "resource_missing"


class StripeGateway:
    """Calls of this plugin, by name. Answers are plain dicts of the API; all raise StripeRefused and
    PaymentProviderUnavailable.
    """

    def __init__(self, settings: PaymentsSettings) -> None:
        self._breaker = Breaker(settings.breaker_failures, settings.breaker_seconds)
        key = settings.stripe_secret_key.reveal()
        self._client: stripe.StripeClient | None = None
        if key:
            import stripe  # not before somebody has a key: it is a twentieth of a boot

            self._client = stripe.StripeClient(
                key,
                stripe_version=API_VERSION,
                base_addresses={"api": settings.stripe_api_base.rstrip("/")},
                max_network_retries=settings.stripe_retries,
                http_client=stripe.RequestsClient(timeout=settings.stripe_timeout_seconds),
            )

    # Reading

    def subscription(self, subscription_id: str) -> JsonObject:
        """With its latest invoice, as `read_subscription` wants it."""
        return self._get("subscription", lambda v1: v1.subscriptions.retrieve, subscription_id, ["latest_invoice"])

    def subscriptions(self, **filters: Any) -> Iterator[list[JsonObject]]:
        """All, ended ones too, a page at a time, newest first; each page is asked for when it is needed."""
        params = {"status": "all", "expand": ["data.latest_invoice"], **filters}
        return self._pages("subscriptions", lambda v1: v1.subscriptions.list, params)

    def checkout_session(self, session_id: str) -> JsonObject:
        return self._get("checkout_session", lambda v1: v1.checkout.sessions.retrieve, session_id, ["line_items"])

    def invoice(self, invoice_id: str) -> JsonObject:
        """With its payments and their payment intents."""
        expand = ["payments.data.payment.payment_intent"]
        return self._get("invoice", lambda v1: v1.invoices.retrieve, invoice_id, expand)

    def invoices(self, **filters: Any) -> Iterator[list[JsonObject]]:
        return self._pages("invoices", lambda v1: v1.invoices.list, filters)

    def charge(self, charge_id: str) -> JsonObject:
        """With its refunds."""
        return self._get("charge", lambda v1: v1.charges.retrieve, charge_id, ["refunds"])

    def refund(self, refund_id: str) -> JsonObject:
        return self._get("refund", lambda v1: v1.refunds.retrieve, refund_id)

    def dispute(self, dispute_id: str) -> JsonObject:
        return self._get("dispute", lambda v1: v1.disputes.retrieve, dispute_id)

    def disputes(self) -> Iterator[list[JsonObject]]:
        return self._pages("disputes", lambda v1: v1.disputes.list, {})

    def invoice_of_intent(self, intent_id: str) -> str | None:
        """Id of the invoice that a payment intent paid."""
        params = {"payment": {"type": "payment_intent", "payment_intent": intent_id}}
        for page in self._pages("invoice_payments", lambda v1: v1.invoice_payments.list, params):
            for payment in page:
                return str(payment["invoice"])
        return None

    def prices(self, **filters: Any) -> Iterator[list[JsonObject]]:
        return self._pages("prices", lambda v1: v1.prices.list, filters)

    def events(self, *, since: int) -> Iterator[list[JsonObject]]:
        """What happened from `since` (seconds) on; Stripe keeps thirty days."""
        return self._pages("events", lambda v1: v1.events.list, {"created": {"gte": since}})

    # Changing

    def create_checkout_session(self, params: Mapping[str, Any], key: str) -> JsonObject:
        return self._post("create_checkout_session", lambda v1: v1.checkout.sessions.create, (), params, key)

    def expire_checkout_session(self, session_id: str) -> JsonObject:
        return self._post("expire_checkout_session", lambda v1: v1.checkout.sessions.expire, (session_id,), {}, None)

    def update_subscription(self, subscription_id: str, params: Mapping[str, Any], key: str) -> JsonObject:
        """The subscription after the change, with its latest invoice."""
        wanted = {**params, "expand": ["latest_invoice"]}
        return self._post("update_subscription", lambda v1: v1.subscriptions.update, (subscription_id,), wanted, key)

    def cancel_subscription(self, subscription_id: str) -> JsonObject:
        """Now, not at the end of its period; neither charges nor gives back."""
        return self._post("cancel_subscription", lambda v1: v1.subscriptions.cancel, (subscription_id,), {}, None)

    def create_subscription(self, params: Mapping[str, Any], key: str) -> JsonObject:
        wanted = {**params, "expand": ["latest_invoice"]}
        return self._post("create_subscription", lambda v1: v1.subscriptions.create, (), wanted, key)

    def create_price(self, params: Mapping[str, Any], key: str) -> JsonObject:
        return self._post("create_price", lambda v1: v1.prices.create, (), params, key)

    def portal_configurations(self) -> Iterator[list[JsonObject]]:
        return self._pages("portal_configurations", lambda v1: v1.billing_portal.configurations.list, {"active": True})

    def create_portal_configuration(self, params: Mapping[str, Any], key: str) -> JsonObject:
        call = "create_portal_configuration"
        return self._post(call, lambda v1: v1.billing_portal.configurations.create, (), params, key)

    def create_portal_session(self, params: Mapping[str, Any]) -> JsonObject:
        return self._post("create_portal_session", lambda v1: v1.billing_portal.sessions.create, (), params, None)

    # The wire

    def _get(self, call: str, service: Callable[[Any], Any], identifier: str, expand: Sequence[str] = ()) -> JsonObject:
        params = {"expand": list(expand)} if expand else {}
        return cast(JsonObject, self._perform(call, lambda v1: service(v1)(identifier, params).to_dict()))

    def _post(
        self,
        call: str,
        service: Callable[[Any], Any],
        path: tuple[str, ...],
        params: Mapping[str, Any],
        key: str | None,
    ) -> JsonObject:
        options = {} if key is None else {"idempotency_key": key}
        return cast(
            JsonObject, self._perform(call, lambda v1: service(v1)(*path, dict(params), options=options).to_dict())
        )

    def _pages(
        self, call: str, service: Callable[[Any], Any], filters: Mapping[str, Any]
    ) -> Iterator[list[JsonObject]]:
        params = {"limit": PAGE, **filters}
        while True:
            page = self._perform(call, lambda v1: service(v1)(dict(params)).to_dict())
            if page["data"]:
                yield page["data"]
            if not page["has_more"]:
                return
            params["starting_after"] = page["data"][-1]["id"]

    def _perform(self, call: str, act: Callable[[Any], Any]) -> Any:
        refuse_inside_unit("calling Stripe")
        if self._client is None:
            log.warning("stripe_not_configured", call=call, remedy="set STRIPE_SECRET_KEY")
            raise PaymentProviderUnavailable()
        import stripe

        started = time.perf_counter()
        try:
            self._breaker.check()
            answer = act(self._client.v1)
        except CircuitOpen:
            _calls.labels(call, "left_alone").inc()
            raise PaymentProviderUnavailable() from None
        except (stripe.CardError, stripe.InvalidRequestError, stripe.IdempotencyError) as error:
            self._breaker.succeeded()
            _calls.labels(call, "refused").inc()
            raise _refusal(call, error) from error
        except stripe.StripeError as error:
            self._breaker.failed()
            _calls.labels(call, "failed").inc()
            log.warning("stripe_unavailable", call=call, error=f"{type(error).__name__}: {error}")
            raise PaymentProviderUnavailable() from error
        self._breaker.succeeded()
        _calls.labels(call, "done").inc()
        _seconds.labels(call).observe(time.perf_counter() - started)
        return answer


def _refusal(call: str, error: stripe.StripeError) -> StripeRefused:
    detail = error.error
    decline_code = getattr(detail, "decline_code", None)
    log.info("stripe_refused", call=call, code=error.code, decline_code=decline_code, message=str(error))
    return StripeRefused(str(error), code=error.code, decline_code=decline_code)


def init_gateway(app: Flask, settings: PaymentsSettings) -> None:
    """One gateway per app; connects to nothing."""
    app.extensions[_EXTENSION] = StripeGateway(settings)


def stripe_gateway() -> StripeGateway:
    """The gateway of the current app."""
    return cast(StripeGateway, current_app.extensions[_EXTENSION])
