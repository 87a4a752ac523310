"""A price table as a file that people edit: TOML with version, default_currency, [amounts] and [currency_by_country]. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from jiki_payments.pricing import Amounts, PriceTable


class UnreadablePriceFile(ValueError):
    """What is wrong with a file, and where."""


def read_price_file(text: str) -> PriceTable:
    """Raises UnreadablePriceFile; whether the prices are complete and correct, `PriceTable.check` says."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UnreadablePriceFile(f"this is no TOML: {error}") from error
    return table_from(content, "amounts")


def table_from(content: Mapping[str, Any], amounts_name: str = "amounts") -> PriceTable:
    """The table in a parsed file, or in the body of the admin API. Raises UnreadablePriceFile."""
    unknown = set(content) - {"version", "default_currency", "currency_by_country", amounts_name, "note"}
    if unknown:
        raise UnreadablePriceFile(f"unknown names: {', '.join(sorted(unknown))}")
    for name, kind in (
        ("version", str),
        ("default_currency", str),
        ("currency_by_country", dict),
        (amounts_name, dict),
    ):
        if not isinstance(content.get(name), kind):
            raise UnreadablePriceFile(f"{name} is missing, or no {'table' if kind is dict else 'text'}")
    return PriceTable(
        version=content["version"],
        default_currency=content["default_currency"],
        currency_by_country={country: _text(country, one) for country, one in content["currency_by_country"].items()},
        amounts_by_currency={code: _amounts(code, one) for code, one in content[amounts_name].items()},
    )


def write_price_file(table: PriceTable) -> str:
    """The file of a table, in a stable order."""
    amounts = sorted(table.amounts_by_currency.items())
    countries = sorted(table.currency_by_country.items())
    return "\n".join(
        [
            f'version = "{table.version}"',
            f'default_currency = "{table.default_currency}"',
            "",
            "# in Stripe's minor units",
            "[amounts]",
            *(f"{code} = {{ monthly = {one.monthly}, annual = {one.annual} }}" for code, one in amounts),
            "",
            "[currency_by_country]",
            *(f'{country} = "{currency}"' for country, currency in countries),
            "",
        ]
    )


def _amounts(code: str, value: Any) -> Amounts:
    members = value if isinstance(value, Mapping) else {}
    monthly, annual = members.get("monthly"), members.get("annual")
    if set(members) != {"monthly", "annual"} or not _is_whole(monthly) or not _is_whole(annual):
        raise UnreadablePriceFile(f"{code} needs {{ monthly = …, annual = … }}, whole numbers both")
    return Amounts(members["monthly"], members["annual"])


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _text(country: str, value: Any) -> str:
    if not isinstance(value, str):
        raise UnreadablePriceFile(f"the currency of {country} must be a text")
    return value
