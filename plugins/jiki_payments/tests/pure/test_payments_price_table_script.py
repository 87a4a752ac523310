"""The generator of the shipped table: its rounding, its sources, and that what is committed is what it
writes.
"""

from __future__ import annotations

import datetime
import importlib.util
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from babel import Locale
from babel.numbers import get_territory_currencies
from hypothesis import given
from hypothesis import strategies as st

from jiki_payments.countries import ISO_3166, KNOWN_COUNTRIES
from jiki_payments.pricing import load_default_table

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "compute_price_table.py"
specification = importlib.util.spec_from_file_location("compute_price_table", SCRIPT)
assert specification is not None
assert specification.loader is not None
compute_price_table = importlib.util.module_from_spec(specification)
specification.loader.exec_module(compute_price_table)

#: CLDR territories that ISO 3166-1 has not assigned: exceptionally reserved codes, groupings, pseudo-locales
NOT_ASSIGNED = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"}


def test_the_committed_table_is_what_the_script_computes(capsys: pytest.CaptureFixture[str]) -> None:
    assert compute_price_table.main(["--check"]) == 0


def test_a_stale_table_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("price_levels.toml", "prices.toml", "countries.toml"):
        (tmp_path / name).write_bytes((compute_price_table.DATA / name).read_bytes())
    (tmp_path / "prices.toml").write_text("")
    monkeypatch.setattr(compute_price_table, "DATA", tmp_path)
    assert compute_price_table.main(["--check"]) == 1
    assert "prices.toml differs" in capsys.readouterr().err
    assert compute_price_table.main([]) == 0
    assert compute_price_table.main(["--check"]) == 0


def test_the_countries_are_those_of_iso_3166_as_cldr_knows_them() -> None:
    codes = [str(code) for code in Locale("en").territories]
    territories = {code for code in codes if len(code) == 2 and code.isalpha()}
    assert territories - NOT_ASSIGNED == ISO_3166


def test_every_country_has_a_tender_of_its_own_unless_the_script_says_why() -> None:
    chosen = compute_price_table.CHOSEN_CURRENCIES
    table = load_default_table().currency_by_country
    assert table.keys() == KNOWN_COUNTRIES
    for country, currency in table.items():
        tenders = get_territory_currencies(country, datetime.date(2026, 1, 1))
        assert currency.upper() in tenders or currency.upper() == chosen[country], country


def test_every_priced_currency_has_a_price_level_with_an_anchor_that_pays_in_it() -> None:
    table = load_default_table()
    levels = tomllib.loads((compute_price_table.DATA / "price_levels.toml").read_text())["levels"]
    assert levels.keys() == table.amounts_by_currency.keys()
    for currency, row in levels.items():
        assert table.currency_by_country[row["anchor"]] == currency


@pytest.mark.parametrize(
    ("amount", "price"),
    [
        ("9.99", "9.99"),
        ("99.90", "99"),
        ("7.10", "6.99"),
        ("12.40", "11.99"),
        ("200.4", "199"),
        ("1990", "1999"),
        ("23.1", "24"),
        ("15292", "14900"),
        ("149000", "149000"),
    ],
)
def test_a_price_is_rounded_to_one_people_expect(amount: str, price: str) -> None:
    assert compute_price_table.expected_price(Decimal(amount)) == Decimal(price)


@given(st.decimals("1", "10000000", places=2))
def test_rounding_moves_a_price_by_less_than_a_seventh(amount: Decimal) -> None:
    price = compute_price_table.expected_price(amount)
    assert abs(price - amount) / amount < Decimal(1) / 7


def test_a_fraction_that_stripe_cannot_express_is_refused() -> None:
    with pytest.raises(ValueError, match="not a whole number"):
        compute_price_table.stripe_amount("jpy", Decimal("9.99"))
