"""Customers as objects: one maker, used by the API and by a checkout that nobody brought a customer to."""

from __future__ import annotations

from typing import Any

from jiki_payments.standin.events import emit
from jiki_payments.standin.state import JsonObject, State


def make_customer(
    state: State,
    *,
    email: str | None = None,
    name: str | None = None,
    address: dict[str, Any] | None = None,
    test_clock: str | None = None,
    **members: Any,
) -> JsonObject:
    """A new customer with nothing to their name."""
    identifier = state.new_id("cus")
    customer = state.add(
        {
            "id": identifier,
            "object": "customer",
            "address": address,
            "balance": 0,
            "business_name": None,
            "created": state.clock.now(test_clock),
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "description": None,
            "discount": None,
            "email": email,
            "individual_name": None,
            "invoice_prefix": identifier[-8:].upper(),
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "livemode": False,
            "metadata": {},
            "name": name,
            "next_invoice_sequence": 1,
            "phone": None,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": test_clock,
            **members,
        }
    )
    emit(state, "customer.created", customer)
    return customer
