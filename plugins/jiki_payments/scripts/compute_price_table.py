"""Computes the shipped price table: `data/price_levels.toml` + CLDR -> `data/countries.toml` and
`data/prices.toml`.

For maintainers, not at run time (it needs babel). `--check` writes nothing and fails when the committed files
differ.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import tomllib
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from babel.numbers import get_territory_currencies

from jiki_payments.countries import KNOWN_COUNTRIES
from jiki_payments.currencies import minor_units_per_major

DATA = Path(__file__).resolve().parent.parent / "jiki_payments" / "data"

#: Where CLDR lists several tenders or none, or is behind the facts.
CHOSEN_CURRENCIES: Mapping[str, str] = {
    "AQ": "USD",  # nobody's: the standard price
    "BG": "EUR",  # since 1 January 2026
    "BT": "BTN",  # its own before the Indian rupee
    "LS": "LSL",  # its own before the rand
    "NA": "NAD",  # its own before the rand
    "ZW": "ZWG",  # its own before the dollar
}


def expected_price(amount: Decimal) -> Decimal:
    """The price people expect nearest to `amount`, in major units: 9.99, 24, 199, 1999, 34900.

    Two leading digits between 1 and 2 of a decade, steps of a half digit above, and a hair below the round
    number: a cent under 20, one unit under 10 000, then a hundred and a thousand.
    """
    decade = Decimal(10) ** amount.adjusted()
    step = decade / 10 if amount < 2 * decade else decade / 2
    round_number = (amount / step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * step
    for limit, hair in ((20, Decimal("0.01")), (10_000, Decimal(1)), (100_000, Decimal(100))):
        if round_number <= limit:
            return round_number - hair
    return round_number - 1000


def stripe_amount(currency: str, major: Decimal) -> int:
    """`major` units of `currency` as Stripe counts them; refuses a fraction that Stripe could not express."""
    minor = major * minor_units_per_major(currency)
    if minor != minor.to_integral_value():
        raise ValueError(f"{major} {currency} is not a whole number of Stripe's minor units: price it higher")
    return int(minor)


def amounts_by_currency(source: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Currency to (monthly, annual): base price times price level times exchange rate, then made familiar.

    The annual price is ten times the familiar monthly one, made familiar in turn.
    """
    base = Decimal(source["base_monthly"])
    lowest, highest = Decimal(source["lowest_price_level"]), Decimal(source["highest_price_level"])
    amounts = {}
    for currency, row in source["levels"].items():
        level = min(max(Decimal(row["price_level"]), lowest), highest)
        monthly = expected_price(base * level * Decimal(row["units_per_usd"]))
        annual = expected_price(10 * monthly)
        amounts[currency] = (stripe_amount(currency, monthly), stripe_amount(currency, annual))
    return amounts


def currency_by_country(on: datetime.date) -> dict[str, str]:
    """Country to its legal tender of that day, in Stripe's lower case; CLDR's first where it lists
    several.
    """
    return {
        country: (CHOSEN_CURRENCIES.get(country) or get_territory_currencies(country, on)[0]).lower()
        for country in sorted(KNOWN_COUNTRIES)
    }


def computed_files(source: Mapping[str, Any]) -> dict[str, str]:
    """File name to what it should hold."""
    year = source["year"]
    head = f"# Written by scripts/compute_price_table.py from price_levels.toml ({year}). Do not edit.\n"
    countries = currency_by_country(datetime.date(year + 1, 1, 1))
    prices = amounts_by_currency(source)
    return {
        "countries.toml": head
        + "\n[currency_by_country]\n"
        + "".join(f'{country} = "{currency}"\n' for country, currency in countries.items()),
        "prices.toml": head
        + f'\nversion = "{year}"\ndefault_currency = "{source["base_currency"]}"\n\n[amounts]\n'
        + "".join(
            f"{currency} = {{ monthly = {monthly}, annual = {annual} }}\n"
            for currency, (monthly, annual) in sorted(prices.items())
        ),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when the committed files differ")
    check_only = parser.parse_args(arguments).check
    source = tomllib.loads((DATA / "price_levels.toml").read_text(encoding="utf-8"))
    stale = [
        name
        for name, text in computed_files(source).items()
        if not (DATA / name).is_file() or (DATA / name).read_text(encoding="utf-8") != text
    ]
    if check_only:
        for name in stale:
            print(
                f"{name} differs from what price_levels.toml gives: run {Path(__file__).name}",
                file=sys.stderr,
            )
        return 1 if stale else 0
    for name, text in computed_files(source).items():
        (DATA / name).write_text(text, encoding="utf-8")
    print(f"wrote {', '.join(stale)}" if stale else "nothing changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
