"""Products and prices: currencies, minor units, lookup keys."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from .conftest import Prices


def test_currency_options_show_only_when_expanded(client: stripe.StripeClient, prices: Prices) -> None:
    assert "currency_options" not in client.v1.prices.retrieve(prices.monthly)
    price = client.v1.prices.retrieve(prices.monthly, {"expand": ["currency_options"]})
    options = price["currency_options"].to_dict()
    assert {code: option["unit_amount"] for code, option in options.items()} == {
        "usd": 999,
        "inr": 19900,
        "jpy": 949,
    }


def test_a_currency_is_added_to_a_price(client: stripe.StripeClient, prices: Prices) -> None:
    client.v1.prices.update(prices.monthly, {"currency_options": {"eur": {"unit_amount": 699}}})
    price = client.v1.prices.retrieve(prices.monthly, {"expand": ["currency_options"]})
    assert price["currency_options"].to_dict().keys() == {"usd", "inr", "jpy", "eur"}


def test_prices_are_found_by_lookup_key(client: stripe.StripeClient, prices: Prices) -> None:
    found = client.v1.prices.list({"lookup_keys": ["premium_annual"], "expand": ["data.product"]}).data
    assert [price.id for price in found] == [prices.annual]
    assert isinstance(found[0].product, stripe.Product)
    assert found[0].product.name == "Jiki premium"


def test_a_lookup_key_moves_only_when_asked(client: stripe.StripeClient, prices: Prices) -> None:
    params: Any = {
        "currency": "usd",
        "unit_amount": 1099,
        "recurring": {"interval": "month"},
        "product_data": {"name": "Jiki premium"},
        "lookup_key": "premium_monthly",
    }
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        client.v1.prices.create(params)
    params["transfer_lookup_key"] = True
    taker = client.v1.prices.create(params)
    assert taker.lookup_key == "premium_monthly"
    assert client.v1.prices.retrieve(prices.monthly).lookup_key is None


@pytest.mark.parametrize(
    ("currency", "amount", "message"),
    [
        ("isk", 149950, "evenly divisible by 100"),
        ("xyz", 999, "does not charge in it"),
        ("usd", -1, "non-negative"),
    ],
)
def test_an_amount_stripe_refuses_is_refused(
    client: stripe.StripeClient, currency: str, amount: int, message: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=message):
        client.v1.prices.create({"currency": currency, "unit_amount": amount, "product_data": {"name": "Premium"}})


def test_an_inactive_price_sells_nothing(client: stripe.StripeClient, prices: Prices) -> None:
    client.v1.prices.update(prices.monthly, {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        client.v1.checkout.sessions.create(
            {
                "mode": "subscription",
                "line_items": [{"price": prices.monthly, "quantity": 1}],
                "success_url": "http://localhost/",
            }
        )


def test_a_product_can_bring_its_price(client: stripe.StripeClient) -> None:
    product = client.v1.products.create(
        {
            "name": "Premium",
            "default_price_data": {"currency": "jpy", "unit_amount": 949, "recurring": {"interval": "month"}},
        }
    )
    price = client.v1.prices.retrieve(str(product.default_price))
    assert (price.unit_amount, price.currency) == (949, "jpy")
    assert price.recurring is not None
    assert price.recurring.interval == "month"


def test_a_product_is_changed(client: stripe.StripeClient) -> None:
    product = client.v1.products.create({"name": "Premium", "metadata": {"a": "1"}})
    changed = client.v1.products.update(product.id, {"name": "Premium+", "active": False, "metadata": {"b": "2"}})
    assert (changed.name, changed.active) == ("Premium+", False)
    assert changed.metadata.to_dict() == {"a": "1", "b": "2"}
