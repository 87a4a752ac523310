"""Test cards: which number or token behaves how, the payment method made of it, and what a bank answers to
a charge.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from jiki_payments.countries import ISO_3166
from jiki_payments.standin.errors import InvalidRequest
from jiki_payments.standin.state import JsonObject, State


class Answer(StrEnum):
    """What the bank says to a charge."""

    SUCCEED = "succeed"
    DECLINE = "decline"
    AUTHENTICATE = "authenticate"
    PROCESS = "process"


@dataclass(frozen=True, slots=True)
class Card:
    """A card as the stand-in knows it; `decline_code` is that of a card that declines."""

    brand: str = "visa"
    last4: str = "4242"
    country: str = "US"
    answer: Answer = Answer.SUCCEED
    decline_code: str = ""


#: Decline codes whose `code` is not `card_declined`.
_OWN_CODES = frozenset({"expired_card", "incorrect_cvc", "processing_error", "incorrect_number"})

_TOKENS = {
    "pm_card_visa": Card(),
    "pm_card_mastercard": Card(brand="mastercard", last4="4444"),
    "pm_card_amex": Card(brand="amex", last4="8431"),
    "pm_card_authenticationRequired": Card(last4="3155", answer=Answer.AUTHENTICATE),
    "pm_card_chargeCustomerFail": Card(last4="0341", answer=Answer.DECLINE, decline_code="generic_decline"),
    **{
        f"pm_card_{scheme}{name}": Card(last4=last4, answer=Answer.DECLINE, decline_code=code)
        for scheme in ("", "visa_")
        for name, last4, code in (
            ("chargeDeclined", "0002", "generic_decline"),
            ("chargeDeclinedInsufficientFunds", "9995", "insufficient_funds"),
            ("chargeDeclinedLostCard", "9987", "lost_card"),
            ("chargeDeclinedStolenCard", "9979", "stolen_card"),
            ("chargeDeclinedFraudulent", "0019", "fraudulent"),
            ("chargeDeclinedExpiredCard", "0069", "expired_card"),
            ("chargeDeclinedIncorrectCvc", "0127", "incorrect_cvc"),
            ("chargeDeclinedProcessingError", "0119", "processing_error"),
        )
    },
    **{f"pm_card_{country.lower()}": Card(country=country) for country in ISO_3166},
}


def is_test_card(token: str) -> bool:
    """Whether `pm_card_…` names a card anybody may pay with without making it first."""
    return token in _TOKENS


def card_of_token(token: str) -> Card:
    try:
        return _TOKENS[token]
    except KeyError:
        raise InvalidRequest(
            f"No such PaymentMethod: '{token}'", param="payment_method", code="resource_missing"
        ) from None


def make_payment_method(
    state: State,
    card: Card,
    *,
    customer: str | None = None,
    email: str | None = None,
    name: str | None = None,
) -> JsonObject:
    """A payment method of this card, attached to `customer` if there is one."""
    return state.add(
        {
            "id": state.new_id("pm"),
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": {
                "address": {"city": None, "country": card.country, "line1": None, "line2": None}
                | {"postal_code": None, "state": None},
                "email": email,
                "name": name,
                "phone": None,
                "tax_id": None,
            },
            "card": {
                "brand": card.brand,
                "checks": {
                    "address_line1_check": None,
                    "address_postal_code_check": None,
                    "cvc_check": "pass",
                },
                "country": card.country,
                "display_brand": card.brand,
                "exp_month": 12,
                "exp_year": 2034,
                "fingerprint": f"{card.brand}{card.last4}{card.country}",
                "funding": "credit",
                "generated_from": None,
                "last4": card.last4,
                "networks": {"available": [card.brand], "preferred": None},
                "three_d_secure_usage": {"supported": True},
                "wallet": None,
            },
            "created": state.now(customer),
            "customer": customer,
            "livemode": False,
            "metadata": {},
            "type": "card",
            "_answer": card.answer.value,
            "_decline_code": card.decline_code,
        }
    )


def bank_answer(state: State, payment_method: JsonObject | None, customer: str | None) -> tuple[Answer, str]:
    """What the bank says to the next charge, and why if it declines; uses up one armed decline of the
    customer.
    """
    armed = state.armed_declines.get(customer or "")
    if armed:
        return Answer.DECLINE, armed.pop(0)
    if payment_method is None:
        return Answer.DECLINE, "generic_decline"
    return Answer(payment_method["_answer"]), payment_method["_decline_code"]


def payment_error(decline_code: str, payment_method: JsonObject | None, charge: str | None) -> JsonObject:
    """`last_payment_error` of a declined payment."""
    code = decline_code if decline_code in _OWN_CODES else "card_declined"
    error: JsonObject = {
        "type": "card_error",
        "code": code,
        "decline_code": decline_code,
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
        "message": f"Your card was declined ({decline_code}).",
        "advice_code": "try_again_later" if decline_code == "insufficient_funds" else "do_not_try_again",
    }
    if charge is not None:
        error["charge"] = charge
    if payment_method is not None:
        error["payment_method"] = {key: value for key, value in payment_method.items() if not key.startswith("_")}
    return error
