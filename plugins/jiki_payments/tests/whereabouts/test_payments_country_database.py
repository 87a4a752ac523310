"""The operator's country database: three layouts, replaced files, broken files."""

from __future__ import annotations

import os

import pytest

from jiki_payments.country_database import LOOK_AGAIN_SECONDS, CountryDatabase, country_of

from .mmdb import write_mmdb


def test_the_countrys_code_is_found(tmp_path):
    path = write_mmdb(tmp_path / "c.mmdb", {"203.0.113.0/24": {"country": {"iso_code": "IN"}}})
    database = CountryDatabase(str(path))
    assert database.locate("203.0.113.7") == "IN"
    assert database.locate("198.51.100.7") is None


@pytest.mark.parametrize(
    ("record", "country"),
    [
        ({"country": {"iso_code": "de"}}, "DE"),
        ({"country": "DE"}, "DE"),
        ({"country": "Germany", "country_code": "DE"}, "DE"),
        ({"country_code": "XX"}, None),
        ({"country": {}}, None),
        ({}, None),
        (None, None),
        ("DE", None),
    ],
)
def test_the_layouts_of_three_makers(record, country):
    assert country_of(record) == country


@pytest.mark.parametrize("address", ["", "junk", "::1", "2001:db8::1", "203.0.113.7, 1.1.1.1"])
def test_addresses_it_cannot_know(tmp_path, address):
    path = write_mmdb(tmp_path / "c.mmdb", {"203.0.113.0/24": {"country": "IN"}})
    assert CountryDatabase(str(path)).locate(address) is None


def test_without_a_database_nothing_is_known():
    assert CountryDatabase("").locate("203.0.113.7") is None


def test_a_replaced_file_is_read_anew_and_a_broken_one_is_survived(tmp_path):
    now = [0.0]
    path = write_mmdb(tmp_path / "c.mmdb", {"203.0.113.0/24": {"country": "IN"}})
    database = CountryDatabase(str(path), clock=lambda: now[0])
    assert database.locate("203.0.113.7") == "IN"
    write_mmdb(tmp_path / "new.mmdb", {"203.0.113.0/24": {"country": "BR"}})
    os.replace(tmp_path / "new.mmdb", path)
    assert database.locate("203.0.113.7") == "IN"
    now[0] += LOOK_AGAIN_SECONDS
    assert database.locate("203.0.113.7") == "BR"
    path.write_bytes(b"no database")
    now[0] += LOOK_AGAIN_SECONDS
    assert database.locate("203.0.113.7") == "BR"


def test_a_missing_file_knows_nothing(tmp_path):
    assert CountryDatabase(str(tmp_path / "none.mmdb")).locate("203.0.113.7") is None
