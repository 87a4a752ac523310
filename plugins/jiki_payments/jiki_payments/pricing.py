"""Price selection: from a country to a currency and two amounts, over a table that operators edit.

Pure functions over values (architecture.md, rule 5; contract.md 3.11). Where the country comes from is not
decided here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from jiki_payments.countries import KNOWN_COUNTRIES, known_country
from jiki_payments.currencies import amount_mistake

LOWEST_ANNUAL_RATIO = 9.2
HIGHEST_ANNUAL_RATIO = 10.8


@dataclass(frozen=True, slots=True)
class Amounts:
    """What one currency costs, in Stripe's minor units of it."""

    monthly: int
    annual: int


@dataclass(frozen=True, slots=True)
class PremiumPrices:
    """The wire shape `PremiumPrices` (contract.md 2.2); `country_code` is None when no country is known."""

    currency: str
    monthly: int
    annual: int
    country_code: str | None


@dataclass(frozen=True, slots=True)
class PriceTable:
    """One version of the prices: country to currency, currency to amounts."""

    version: str
    default_currency: str
    #: alpha-2 code, upper case, to currency, lower case; the currency may have no price
    currency_by_country: Mapping[str, str]
    #: currency, lower case, to its amounts
    amounts_by_currency: Mapping[str, Amounts]

    def currency_for(self, country_code: str | None) -> str:
        """The priced currency of a country: its own, else the default one (contract.md 3.11, 7.13)."""
        country = known_country(country_code)
        own = self.currency_by_country.get(country) if country else None
        return own if own and own in self.amounts_by_currency else self.default_currency

    def check(self) -> list[str]:
        """Every mistake in the table, one sentence each; an empty list means it may be published."""
        mistakes = [
            f"{country} has no currency: every ISO 3166-1 country needs one"
            for country in sorted(KNOWN_COUNTRIES - self.currency_by_country.keys())
        ]
        mistakes += [
            f"{country} is not a country of ISO 3166-1: remove it"
            for country in sorted(self.currency_by_country.keys() - KNOWN_COUNTRIES)
        ]
        if self.default_currency not in self.amounts_by_currency:
            mistakes.append(f"the default currency {self.default_currency} has no price")
        reachable = {*self.currency_by_country.values(), self.default_currency}
        for currency, amounts in sorted(self.amounts_by_currency.items()):
            if currency not in reachable:
                mistakes.append(f"{currency} has a price that no country leads to")
            mistakes += _amount_mistakes(currency, amounts)
        return mistakes


def _amount_mistakes(currency: str, amounts: Amounts) -> list[str]:
    mistakes = [
        f"{currency} {interval}: {mistake}"
        for interval, amount in (("monthly", amounts.monthly), ("annual", amounts.annual))
        if (mistake := amount_mistake(currency, amount))
    ]
    if mistakes:
        return mistakes
    ratio = amounts.annual / amounts.monthly
    if not LOWEST_ANNUAL_RATIO <= ratio <= HIGHEST_ANNUAL_RATIO:
        return [
            f"{currency}: annual is {ratio:.2f} times monthly, outside {LOWEST_ANNUAL_RATIO} to {HIGHEST_ANNUAL_RATIO}"
        ]
    return []


@cache
def load_default_table() -> PriceTable:
    """The table that ships with the plugin (`data/`, written by scripts/compute_price_table.py). Read
    once.
    """
    data = resources.files("jiki_payments") / "data"
    prices = tomllib.loads((data / "prices.toml").read_text(encoding="utf-8"))
    countries = tomllib.loads((data / "countries.toml").read_text(encoding="utf-8"))
    return PriceTable(
        version=prices["version"],
        default_currency=prices["default_currency"],
        currency_by_country=countries["currency_by_country"],
        amounts_by_currency={code: Amounts(**amounts) for code, amounts in prices["amounts"].items()},
    )


def price_for(table: PriceTable, country_code: str | None) -> PremiumPrices:
    """The prices shown to a visitor from `country_code`; an unknown one gets the standard price, never an
    error.
    """
    currency = table.currency_for(country_code)
    amounts = table.amounts_by_currency[currency]
    return PremiumPrices(currency, amounts.monthly, amounts.annual, known_country(country_code))


def standard_price(table: PriceTable) -> PremiumPrices:
    """What is charged when no country can be trusted (contract.md 1, PPP): the default currency's prices."""
    return price_for(table, None)


def card_agrees_with_currency(table: PriceTable, currency: str, card_country: str | None) -> bool:
    """Whether a card issued in `card_country` may keep a subscription priced in `currency` (contract.md 1,
    PPP).

    The standard price is open to everybody. Any other belongs to the countries whose currency it is; a card
    whose country is unknown does not show that it comes from one of them.
    """
    if currency == table.default_currency:
        return True
    return known_country(card_country) is not None and table.currency_for(card_country) == currency
