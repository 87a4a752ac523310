"""What a visitor is shown (contract.md 2.4, 3.11 and 5)."""

from __future__ import annotations

import pytest

STANDARD = {"currency": "usd", "monthly": 999, "annual": 9900, "country_code": None}


def pricing(client, country=None, peer="127.0.0.1"):
    headers = {} if country is None else {"CF-IPCountry": country}
    answer = client.get("external/pricing", headers=headers, environ_base={"REMOTE_ADDR": peer}).expect(200)
    return answer.body["premium_prices"]


def test_the_sample_of_the_contract(client):
    assert pricing(client, "IN") == {"currency": "inr", "monthly": 19900, "annual": 199900, "country_code": "IN"}


@pytest.mark.parametrize("country", [None, "XX", "T1", "", "Q9"])
def test_an_unknown_country_gets_the_standard_price(client, country):
    assert pricing(client, country) == STANDARD


def test_a_header_from_outside_the_trusted_hop_changes_nothing(client):
    assert pricing(client, "IN", peer="203.0.113.9") == STANDARD


def test_shared_caches_do_not_keep_what_depends_on_the_country(client):
    headers = client.get("external/pricing").expect(200).headers
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["ETag"]
