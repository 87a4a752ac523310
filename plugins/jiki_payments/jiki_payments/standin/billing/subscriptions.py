"""Subscriptions: begun, paid for the first time, renewed, retried, changed, cancelled, ended. One function
per turn.
"""

from __future__ import annotations

from typing import Any

from jiki_payments.standin.billing import invoices
from jiki_payments.standin.billing.lines import period_line, price_of, proration_lines, unit_amount
from jiki_payments.standin.billing.periods import next_boundary
from jiki_payments.standin.cards import Answer, bank_answer, payment_error
from jiki_payments.standin.errors import CardDeclined, InvalidRequest
from jiki_payments.standin.events import changing, emit
from jiki_payments.standin.presentation import list_of, present
from jiki_payments.standin.state import JsonObject, State

DAY = 86_400
FIRST_PAYMENT_SECONDS = 23 * 3600
"""After this an unpaid first invoice makes the subscription `incomplete_expired`."""


def begin(
    state: State,
    customer: JsonObject,
    price: JsonObject,
    currency: str,
    *,
    quantity: int = 1,
    metadata: dict[str, str] | None = None,
    trial_days: int = 0,
    payment_method: str | None = None,
) -> JsonObject:
    """A new subscription with its first invoice, open and unpaid; `incomplete` unless there is nothing to
    pay.
    """
    if price["type"] != "recurring":
        raise InvalidRequest("The price specified is set to `type=one_time` but this field only accepts recurring.")
    unit_amount(price, currency)
    now = state.now(customer["id"])
    recurring = price["recurring"]
    trial_end = now + trial_days * DAY if trial_days else None
    end = trial_end or next_boundary(now, recurring["interval"], recurring["interval_count"], now)
    subscription = state.add(
        _new_subscription(state, customer, currency, now, trial_end, metadata or {}, payment_method)
    )
    item = _new_item(state, subscription, price, quantity, now, end)
    subscription["items"] = list_of([item], f"/v1/subscription_items?subscription={subscription['id']}")
    line = period_line(state, subscription, item, is_trial=trial_end is not None)
    invoice = invoices.make_invoice(state, subscription, "subscription_create", [line])
    invoices.finalize(state, invoice)
    if invoice["status"] == "paid":
        subscription["status"] = "trialing" if trial_end else "active"
    emit(state, "customer.subscription.created", subscription)
    return subscription


def item_of(subscription: JsonObject) -> JsonObject:
    """Its one item; the stand-in models no more."""
    item: JsonObject = subscription["items"]["data"][0]
    return item


def payment_method_of(state: State, subscription: JsonObject) -> JsonObject | None:
    """What a renewal is charged to: the subscription's, else the customer's default."""
    customer = state.get("customer", subscription["customer"])
    chosen = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    return state.objects["payment_method"].get(chosen) if chosen else None


def collect_latest(
    state: State,
    subscription: JsonObject,
    payment_method: JsonObject | None = None,
    *,
    verdict: tuple[Answer, str] | None = None,
) -> Answer:
    """Try to have the latest invoice paid, and bring the subscription in line with the outcome."""
    invoice = state.get("invoice", subscription["latest_invoice"])
    method = payment_method or payment_method_of(state, subscription)
    answer = invoices.collect(state, invoice, method, verdict=verdict)
    follow_payment(state, subscription, invoice, answer)
    return answer


def follow_payment(state: State, subscription: JsonObject, invoice: JsonObject, answer: Answer) -> None:
    """What a payment, made or failed, does to the subscription it was for."""
    if subscription["ended_at"] is not None:
        return
    with changing(state, subscription, "customer.subscription.updated"):
        if answer is Answer.SUCCEED:
            if subscription["status"] in ("incomplete", "past_due", "unpaid"):
                subscription["status"] = "active"
        elif subscription["status"] in ("active", "trialing") and answer is not Answer.PROCESS:
            subscription["status"] = "past_due"
    if subscription["status"] == "past_due" and answer in (Answer.DECLINE, Answer.AUTHENTICATE):
        _plan_or_give_up(state, subscription, invoice)


def renew(state: State, subscription: JsonObject) -> None:
    """Open the next period and ask for its price; an `unpaid` subscription only gets a draft."""
    item = item_of(subscription)
    recurring = price_of(state, item)["recurring"]
    with changing(state, subscription, "customer.subscription.updated"):
        start = item["current_period_end"]
        item["current_period_start"] = start
        item["current_period_end"] = next_boundary(
            subscription["billing_cycle_anchor"], recurring["interval"], recurring["interval_count"], start
        )
        if subscription["status"] == "trialing":
            subscription["status"] = "active"
        lines = [*subscription.pop("_pending_lines", []), period_line(state, subscription, item)]
        invoice = invoices.make_invoice(state, subscription, "subscription_cycle", lines)
    if subscription["status"] == "unpaid":
        invoice["auto_advance"] = False
        return
    invoices.finalize(state, invoice)
    collect_latest(state, subscription)


def change_price(
    state: State, subscription: JsonObject, price: JsonObject, quantity: int, proration: str, behavior: str
) -> None:
    """Another price from now on: with another interval a new period starts and is invoiced at once
    (contract.md 3.12).

    `proration` is Stripe's proration_behavior, `behavior` its payment_behavior. With `error_if_incomplete` a
    declined payment raises CardDeclined and nothing has changed.
    """
    item = item_of(subscription)
    now = state.now(subscription["customer"])
    recurring = price["recurring"]
    is_new_interval = recurring != price_of(state, item)["recurring"]
    changed = {**item, "price": price["id"], "plan": _plan_of(price), "quantity": quantity}
    lines: list[JsonObject] = list(subscription.get("_pending_lines", []))
    if proration != "none":
        lines += proration_lines(state, subscription, item, changed, now)
    if is_new_interval:
        changed["current_period_start"] = now
        changed["current_period_end"] = next_boundary(now, recurring["interval"], recurring["interval_count"], now)
        lines.append(period_line(state, subscription, changed))
    is_invoiced_now = is_new_interval or proration == "always_invoice"
    verdict = None
    if is_invoiced_now and behavior == "error_if_incomplete":
        verdict = _approval(state, subscription, sum(line["amount"] for line in lines))
    with changing(state, subscription, "customer.subscription.updated"):
        item |= changed
        if is_new_interval:
            subscription["billing_cycle_anchor"] = now
        if subscription["cancel_at_period_end"]:
            subscription["cancel_at"] = item["current_period_end"]
        if not is_invoiced_now:
            subscription["_pending_lines"] = lines
            return
        subscription.pop("_pending_lines", None)
        invoice = invoices.make_invoice(state, subscription, "subscription_update", lines)
    invoices.finalize(state, invoice)
    if invoice["status"] == "open":
        collect_latest(state, subscription, verdict=verdict)


def _approval(state: State, subscription: JsonObject, total: int) -> tuple[Answer, str] | None:
    """The bank's word on a charge before anything is changed for it; raises CardDeclined unless it is yes."""
    if total + state.get("customer", subscription["customer"])["balance"] <= 0:
        return None
    method = payment_method_of(state, subscription)
    answer, decline_code = bank_answer(state, method, subscription["customer"])
    if answer is not Answer.SUCCEED:
        raise CardDeclined(payment_error(decline_code or "authentication_required", method, None))
    return answer, decline_code


def end(state: State, subscription: JsonObject, reason: str, status: str = "canceled") -> None:
    """The end, now. `reason` is Stripe's cancellation_details.reason."""
    now = state.now(subscription["customer"])
    is_first_payment_open = subscription["status"] == "incomplete"
    previous = present(state, subscription)
    subscription |= {
        "status": "incomplete_expired" if is_first_payment_open else status,
        "canceled_at": subscription["canceled_at"] or now,
        "ended_at": now,
        "cancel_at_period_end": False,
    }
    subscription["cancellation_details"]["reason"] = reason
    if is_first_payment_open:
        invoices.void(state, state.get("invoice", subscription["latest_invoice"]))
        emit(state, "customer.subscription.updated", subscription, {"status": previous["status"]})
        return
    for invoice in state.all("invoice", customer=subscription["customer"], status="open"):
        if invoice["parent"]["subscription_details"]["subscription"] == subscription["id"]:
            invoice |= {"auto_advance": False, "next_payment_attempt": None}
    emit(state, "customer.subscription.deleted", subscription)


def _plan_or_give_up(state: State, subscription: JsonObject, invoice: JsonObject) -> None:
    if invoices.plan_retry(state, invoice):
        return
    if state.settings.after_last_retry == "cancel":
        end(state, subscription, "payment_failed")
    elif state.settings.after_last_retry == "unpaid":
        with changing(state, subscription, "customer.subscription.updated"):
            subscription["status"] = "unpaid"


def _new_subscription(
    state: State,
    customer: JsonObject,
    currency: str,
    now: int,
    trial_end: int | None,
    metadata: dict[str, str],
    payment_method: str | None,
) -> JsonObject:
    return {
        "id": state.new_id("sub"),
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": trial_end or now,
        "billing_cycle_anchor_config": None,
        "billing_mode": {"type": "classic", "flexible": None},
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": now,
        "currency": currency,
        "customer": customer["id"],
        "days_until_due": None,
        "default_payment_method": payment_method,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": None,
        "latest_invoice": None,
        "livemode": False,
        "metadata": metadata,
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": now,
        "status": "incomplete",
        "test_clock": customer["test_clock"],
        "transfer_data": None,
        "trial_end": trial_end,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": now if trial_end else None,
    }


def _new_item(
    state: State, subscription: JsonObject, price: JsonObject, quantity: int, start: int, end_: int
) -> JsonObject:
    return {
        "id": state.new_id("si"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": start,
        "current_period_end": end_,
        "current_period_start": start,
        "discounts": [],
        "metadata": {},
        "plan": _plan_of(price),
        "price": price["id"],
        "quantity": quantity,
        "subscription": subscription["id"],
        "tax_rates": [],
    }


def _plan_of(price: JsonObject) -> dict[str, Any]:
    """The older twin of a price, which items still carry."""
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"],
        "livemode": False,
        "metadata": {},
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
