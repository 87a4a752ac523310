"""`/_standin/…` as pages for a person in development: pay (or not), change the card, look at an invoice."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from jiki_payments.countries import ISO_3166
from jiki_payments.currencies import minor_units_per_major
from jiki_payments.standin.billing import checkout, invoices, lifecycle, subscriptions
from jiki_payments.standin.billing.checkout import Outcome, Visitor
from jiki_payments.standin.cards import card_of_token
from jiki_payments.standin.errors import StripeProblem
from jiki_payments.standin.events import changing
from jiki_payments.standin.routes.customers import attach
from jiki_payments.standin.routes.endpoint import current_state
from jiki_payments.standin.state import JsonObject

pages = Blueprint("pages", __name__, url_prefix="/_standin", template_folder="../templates")

DECLINES = (
    "generic_decline",
    "insufficient_funds",
    "expired_card",
    "incorrect_cvc",
    "stolen_card",
    "fraudulent",
)
CARDS = ("pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired")


@pages.app_template_filter("money")
def money(amount: int, currency: str) -> str:
    """`1999, "inr"` -> `19.99 INR`."""
    factor = minor_units_per_major(currency)
    digits = {1: 0, 100: 2, 1000: 3}[factor]
    return f"{amount / factor:,.{digits}f} {currency.upper()}"


@pages.errorhandler(StripeProblem)
def refused(problem: StripeProblem) -> Response:
    return Response(render_template("problem.html", message=problem.error["message"]), problem.status)


@pages.get("/")
def index() -> str:
    state = current_state()
    with state.lock:
        return render_template(
            "index.html",
            sessions=state.all("checkout.session")[::-1],
            subscriptions=state.all("subscription")[::-1],
            events=state.all("event")[:-31:-1],
            now=state.now(),
        )


@pages.post("/advance")
def advance() -> AnyResponse:
    state = current_state()
    with state.lock:
        lifecycle.advance(state, None, state.now() + int(request.form.get("days", "0")) * 86_400)
        state.save()
    return redirect("./", 303)


@pages.get("/checkout/<session>")
def show_checkout(session: str) -> str:
    state = current_state()
    with state.lock:
        stored = state.get("checkout.session", session)
        return render_template("checkout.html", **_checkout_view(stored))


@pages.post("/checkout/<session>")
def submit_checkout(session: str) -> AnyResponse | tuple[str, int]:
    """Paid or processing leads back to the shop, as Stripe.js does; anything else stays on the page."""
    state, form = current_state(), request.form
    filled_in = {name: form[name] for name in ("email", "name", "card_country") if form.get(name)}
    visitor = replace(Visitor(), **filled_in)
    choice = form.get("outcome", "paid")
    with state.lock:
        stored = state.get("checkout.session", session)
        if choice == "leave":
            return redirect(_return_url(stored, cancelled=True), 303)
        checkout.complete(state, stored, Outcome(choice), visitor, form.get("decline_code") or "generic_decline")
        state.save()
        if stored["status"] == "complete":
            return redirect(_return_url(stored), 303)
        problem = f"The payment did not go through ({choice.replace('_', ' ')}). You may try again."
        return render_template("checkout.html", problem=problem, **_checkout_view(stored)), 402


@pages.get("/portal/<session>")
def show_portal(session: str) -> str:
    state = current_state()
    with state.lock:
        portal = state.get("billing_portal.session", session)
        customer = state.get("customer", portal["customer"])
        default = customer["invoice_settings"]["default_payment_method"]
        return render_template(
            "portal.html",
            portal=portal,
            customer=customer,
            method=state.objects["payment_method"].get(default or ""),
            subscriptions=state.all("subscription", customer=customer["id"])[::-1],
            invoices=state.all("invoice", customer=customer["id"])[::-1],
            cards=CARDS,
        )


@pages.post("/portal/<session>/card")
def change_card(session: str) -> AnyResponse:
    """A new default card, for the customer and every live subscription of theirs."""
    state = current_state()
    with state.lock:
        customer = state.get("customer", state.get("billing_portal.session", session)["customer"])
        token = request.form.get("card", "pm_card_visa")
        card_of_token(token)
        method = attach(state, token, customer)
        with changing(state, customer, "customer.updated"):
            customer["invoice_settings"]["default_payment_method"] = method["id"]
        for subscription in state.all("subscription", customer=customer["id"], ended_at=None):
            with changing(state, subscription, "customer.subscription.updated"):
                subscription["default_payment_method"] = method["id"]
        state.save()
    return redirect(f"../{session}", 303)


@pages.get("/invoices/<invoice>")
def show_invoice(invoice: str) -> str:
    state = current_state()
    with state.lock:
        return render_template("invoice.html", invoice=state.get("invoice", invoice), problem=None)


@pages.post("/invoices/<invoice>")
def pay_invoice(invoice: str) -> tuple[str, int]:
    """Pay an open invoice with the card on file."""
    state = current_state()
    with state.lock:
        stored = state.get("invoice", invoice)
        subscription = state.get("subscription", stored["parent"]["subscription_details"]["subscription"])
        method = subscriptions.payment_method_of(state, subscription)
        answer = invoices.collect(state, stored, method)
        subscriptions.follow_payment(state, subscription, stored, answer)
        state.save()
        problem = None if stored["status"] == "paid" else "The card was declined."
        return render_template("invoice.html", invoice=stored, problem=problem), 402 if problem else 200


@pages.get("/receipts/<charge>")
def show_receipt(charge: str) -> str:
    state = current_state()
    with state.lock:
        return render_template("receipt.html", charge=state.get("charge", charge))


def _checkout_view(session: JsonObject) -> JsonObject:
    state = current_state()
    line = session["line_items"]["data"][0]
    price = state.get("price", line["price"])
    return {
        "session": session,
        "product": state.get("product", price["product"]),
        "recurring": price["recurring"],
        "countries": sorted(ISO_3166),
        "declines": DECLINES,
        "visitor": Visitor(),
    }


def _return_url(session: JsonObject, *, cancelled: bool = False) -> str:
    left = session["cancel_url"] or session["return_url"] if cancelled else None
    url: str = left or session["return_url"] or session["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"])
