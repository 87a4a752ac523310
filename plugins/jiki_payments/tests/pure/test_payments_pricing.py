"""The shipped price table, its checks, and price selection."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiki_payments.countries import ISO_3166, KNOWN_COUNTRIES
from jiki_payments.currencies import (
    STRIPE_CURRENCIES,
    THREE_DECIMAL,
    WHOLE_MAJOR_UNITS,
    ZERO_DECIMAL,
    minor_units_per_major,
)
from jiki_payments.pricing import (
    Amounts,
    PremiumPrices,
    PriceTable,
    card_agrees_with_currency,
    load_default_table,
    price_for,
    standard_price,
)

TABLE = load_default_table()


def with_amounts(**amounts: Amounts) -> PriceTable:
    return replace(TABLE, amounts_by_currency={**TABLE.amounts_by_currency, **amounts})


def test_the_shipped_table_has_no_mistakes() -> None:
    assert TABLE.check() == []


@pytest.mark.parametrize(
    ("country", "prices"),
    [
        ("IN", PremiumPrices("inr", 19900, 199900, "IN")),
        ("in ", PremiumPrices("inr", 19900, 199900, "IN")),
        ("US", PremiumPrices("usd", 999, 9900, "US")),
        ("KW", PremiumPrices("usd", 999, 9900, "KW")),
        ("AQ", PremiumPrices("usd", 999, 9900, "AQ")),
        (None, PremiumPrices("usd", 999, 9900, None)),
        ("", PremiumPrices("usd", 999, 9900, None)),
        ("XX", PremiumPrices("usd", 999, 9900, None)),
        ("T1", PremiumPrices("usd", 999, 9900, None)),
        ("ZZ", PremiumPrices("usd", 999, 9900, None)),
    ],
)
def test_a_country_has_one_documented_price(country: str | None, prices: PremiumPrices) -> None:
    assert price_for(TABLE, country) == prices


@pytest.mark.parametrize("country", ["BH", "BT", "GH", "JO", "KW", "OM", "TN"])
def test_a_country_whose_currency_has_no_price_pays_the_standard_price(country: str) -> None:
    assert price_for(TABLE, country).currency == "usd"


@pytest.mark.parametrize(("country", "currency"), [("DE", "eur"), ("XK", "eur"), ("GB", "gbp"), ("BR", "brl")])
def test_a_country_pays_in_its_own_currency(country: str, currency: str) -> None:
    assert price_for(TABLE, country).currency == currency


@given(st.text(max_size=4) | st.none() | st.sampled_from(sorted(KNOWN_COUNTRIES)))
def test_every_string_gets_a_price(country: str | None) -> None:
    prices = price_for(TABLE, country)
    assert TABLE.amounts_by_currency[prices.currency] == Amounts(prices.monthly, prices.annual)
    assert prices.country_code is None or prices.country_code in KNOWN_COUNTRIES


def test_the_standard_price_is_the_one_of_no_country() -> None:
    assert standard_price(TABLE) == PremiumPrices("usd", 999, 9900, None)


def test_check_names_a_country_without_currency() -> None:
    currencies = {c: code for c, code in TABLE.currency_by_country.items() if c != "FR"}
    assert replace(TABLE, currency_by_country=currencies).check() == [
        "FR has no currency: every ISO 3166-1 country needs one"
    ]


def test_check_names_a_country_that_does_not_exist() -> None:
    table = replace(TABLE, currency_by_country={**TABLE.currency_by_country, "EU": "eur"})
    assert table.check() == ["EU is not a country of ISO 3166-1: remove it"]


def test_check_names_a_price_nobody_can_reach() -> None:
    assert with_amounts(ang=Amounts(1799, 17900)).check() == ["ang has a price that no country leads to"]


def test_check_names_a_default_currency_without_price() -> None:
    amounts = {code: value for code, value in TABLE.amounts_by_currency.items() if code != "usd"}
    assert replace(TABLE, amounts_by_currency=amounts).check() == ["the default currency usd has no price"]


@pytest.mark.parametrize(
    ("currency", "amounts", "mistake"),
    [
        ("kwd", Amounts(3005, 30000), "kwd monthly: 3005 must end in 0"),
        ("isk", Amounts(149950, 1499000), "isk monthly: 149950 must be a multiple of 100"),
        ("ugx", Amounts(1190000, 11900050), "ugx annual: 11900050 must be a multiple of 100"),
        ("eur", Amounts(0, 9900), "eur monthly: 0 is not above 0"),
        ("lak", Amounts(49900000, 499000000), "lak annual: 499000000 is over 99999999"),
        ("kpw", Amounts(999, 9900), "kpw monthly: kpw is not a currency Stripe charges in"),
        ("eur", Amounts(999, 9100), "eur: annual is 9.11 times monthly, outside 9.2 to 10.8"),
        ("eur", Amounts(999, 10900), "eur: annual is 10.91 times monthly, outside 9.2 to 10.8"),
    ],
)
def test_check_refuses_amounts_that_stripe_or_people_would(currency: str, amounts: Amounts, mistake: str) -> None:
    assert any(found.startswith(mistake) for found in with_amounts(**{currency: amounts}).check())


@pytest.mark.parametrize(
    ("currency", "factor"), [("usd", 100), ("jpy", 1), ("krw", 1), ("kwd", 1000), ("isk", 100), ("ugx", 100)]
)
def test_minor_units_follow_stripe(currency: str, factor: int) -> None:
    assert minor_units_per_major(currency) == factor


def test_the_currency_kinds_are_stripe_currencies_and_do_not_overlap() -> None:
    assert STRIPE_CURRENCIES >= ZERO_DECIMAL | THREE_DECIMAL | WHOLE_MAJOR_UNITS
    assert not (ZERO_DECIMAL & THREE_DECIMAL) | (ZERO_DECIMAL & WHOLE_MAJOR_UNITS)


@pytest.mark.parametrize(
    ("currency", "card_country", "agrees"),
    [
        ("inr", "IN", True),
        ("inr", "IT", False),
        ("inr", None, False),
        ("inr", "XX", False),
        ("eur", "IT", True),
        ("usd", "IN", True),
        ("usd", None, True),
    ],
)
def test_a_card_keeps_a_price_of_its_own_country_or_the_standard_one(
    currency: str, card_country: str | None, agrees: bool
) -> None:
    assert card_agrees_with_currency(TABLE, currency, card_country) is agrees


def test_there_are_249_countries_in_iso_3166() -> None:
    assert len(ISO_3166) == 249
