"""Each country by header, database and network: one documented price (contract.md section 1, PPP; README.md)."""

from __future__ import annotations

import pytest

from jiki_auth.testing import make_user, signed_in
from jiki_core.contracts import Verdict
from jiki_core.testing import ApiClient
from jiki_payments.countries import KNOWN_COUNTRIES
from jiki_payments.price_rules import Basis, Choice, Whereabouts, choose_country, deserves_a_look, locate
from jiki_payments.pricing import load_default_table, price_for, standard_price

from .mmdb import write_mmdb

TABLE = load_default_table()
CLEAN, VPN, TOR = Verdict(vpn=False, proxy=False, tor=False), Verdict(vpn=True), Verdict(tor=True)
UNKNOWN, HOSTING = Verdict(), Verdict(vpn=False, hosting=True)


@pytest.mark.parametrize(
    ("known", "verdict", "country", "basis"),
    [
        (Whereabouts(), UNKNOWN, None, Basis.UNKNOWN),
        (Whereabouts(header="IN"), CLEAN, "IN", Basis.HEADER),
        (Whereabouts(header="IN"), UNKNOWN, "IN", Basis.HEADER),
        (Whereabouts(header="IN"), HOSTING, "IN", Basis.HEADER),
        (Whereabouts(header="IN"), VPN, None, Basis.HIDDEN),
        (Whereabouts(header="IN"), TOR, None, Basis.HIDDEN),
        (Whereabouts(header="in"), CLEAN, "IN", Basis.HEADER),
        (Whereabouts(header="US"), VPN, "US", Basis.HEADER),
        (Whereabouts(header="IN", geoip="BR", account="PL"), CLEAN, "IN", Basis.HEADER),
        (Whereabouts(header="XX", geoip="BR", account="PL"), CLEAN, "BR", Basis.GEOIP),
        (Whereabouts(header="T1", geoip="BR"), VPN, None, Basis.HIDDEN),
        (Whereabouts(geoip="BR"), CLEAN, "BR", Basis.GEOIP),
        (Whereabouts(account="PL"), UNKNOWN, "PL", Basis.ACCOUNT),
        (Whereabouts(account="PL"), VPN, None, Basis.HIDDEN),
        (Whereabouts(header="XX", account="PL"), UNKNOWN, "PL", Basis.ACCOUNT),
        (Whereabouts(header="DE", operator="IN"), VPN, "IN", Basis.OPERATOR),
        (Whereabouts(header="junk", geoip="??", account="QQ"), CLEAN, None, Basis.UNKNOWN),
    ],
)
def test_the_table_of_cases(known, verdict, country, basis):
    assert choose_country(known, verdict, TABLE) == Choice(country, basis)


@pytest.mark.parametrize("country", sorted(KNOWN_COUNTRIES))
def test_every_country_has_one_price_by_header_and_by_database_and_the_standard_one_when_hidden(country):
    own = price_for(TABLE, country)
    by_header = choose_country(Whereabouts(header=country), CLEAN, TABLE)
    by_database = choose_country(Whereabouts(geoip=country), CLEAN, TABLE)
    hidden = choose_country(Whereabouts(header=country), VPN, TABLE)
    assert price_for(TABLE, by_header.country) == price_for(TABLE, by_database.country) == own
    paid = price_for(TABLE, hidden.country)
    assert (paid.currency, paid.monthly) == (standard_price(TABLE).currency, standard_price(TABLE).monthly)


def test_nobody_is_asked_where_it_makes_no_difference():
    assert not deserves_a_look(locate(Whereabouts(header="US")), TABLE)
    assert not deserves_a_look(locate(Whereabouts()), TABLE)
    assert not deserves_a_look(locate(Whereabouts(operator="IN")), TABLE)
    assert deserves_a_look(locate(Whereabouts(header="IN")), TABLE)


@pytest.fixture
def located(make_app, tmp_path, reputation):
    """An app with a database and a service: Indian and Brazilian networks, and one hidden address."""
    path = write_mmdb(
        tmp_path / "countries.mmdb",
        {"81.2.69.0/24": {"country": {"iso_code": "IN"}}, "81.2.70.0/24": {"country": {"iso_code": "BR"}}},
    )
    reputation.suspects.update({"81.2.69.66", "81.2.71.66"})
    app = make_app(
        settings={
            "JIKI_PAYMENTS_GEOIP_DATABASE": str(path),
            "JIKI_PAYMENTS_REPUTATION_SERVICES": "proxycheck",
            "JIKI_PAYMENTS_PROXYCHECK_URL": reputation.url,
        }
    )
    return ApiClient(app)


@pytest.mark.parametrize(
    ("peer", "headers", "currency"),
    [
        ("81.2.69.7", {}, "inr"),
        ("81.2.70.7", {}, "brl"),
        ("81.2.71.7", {}, "usd"),
        ("81.2.69.66", {}, "usd"),
        ("81.2.70.7", {"CF-IPCountry": "IN"}, "brl"),
        ("127.0.0.1", {"CF-IPCountry": "IN", "CF-Connecting-IP": "81.2.70.7"}, "inr"),
        ("127.0.0.1", {"CloudFront-Viewer-Country": "IN", "X-Forwarded-For": "81.2.70.7"}, "inr"),
        ("127.0.0.1", {"CF-IPCountry": "XX", "CF-Connecting-IP": "81.2.70.7"}, "brl"),
        ("127.0.0.1", {"CF-IPCountry": "IN", "CF-Connecting-IP": "81.2.71.66"}, "usd"),
        ("127.0.0.1", {"CF-IPCountry": "T1", "CF-Connecting-IP": "81.2.71.66"}, "usd"),
    ],
)
def test_a_visitors_price(db, located, peer, headers, currency):
    answer = located.get("external/pricing", headers=headers, environ_base={"REMOTE_ADDR": peer}).expect(200)
    assert answer.body["premium_prices"]["currency"] == currency


def test_somebody_who_moved_has_their_price_decided_anew(db, app):
    user = make_user(db)
    client = signed_in(db, user)
    client.post("internal/subscriptions/refresh_price", headers={"CF-IPCountry": "IN"}).expect(200)
    assert client.get("internal/me").body["user"]["premium_prices"]["currency"] == "inr"
    answer = client.post("internal/subscriptions/refresh_price", headers={"CF-IPCountry": "DE"}).expect(200)
    assert answer.body["premium_prices"]["currency"] == "eur"
    result = app.test_cli_runner().invoke(args=["payments", "why-price", user.email])
    assert result.exit_code == 0, result.output
    assert "is shown eur" in result.output
    assert "refresh: inr, country IN, because of header" in result.output
    assert "header=IN" in result.output


def test_an_operators_word_wins_and_can_be_taken_back(db, app):
    user = make_user(db)
    client = signed_in(db, user)
    run = app.test_cli_runner().invoke
    result = run(args=["payments", "set-country", user.handle, "IN", "--note", "sent us a bill from home"])
    assert result.exit_code == 0, result.output
    assert client.get("internal/me").body["user"]["premium_prices"]["currency"] == "inr"
    client.post("internal/subscriptions/refresh_price", headers={"CF-IPCountry": "DE"}).expect(200)
    assert client.get("internal/me").body["user"]["premium_prices"]["currency"] == "inr"
    assert run(args=["payments", "set-country", user.handle, "--note", "moved back"]).exit_code == 0
    shown = client.get("internal/me").body["user"]["premium_prices"]
    assert shown["country_code"] != "IN"
    assert run(args=["payments", "set-country", user.handle, "QQ", "--note", "x"]).exit_code == 2
    assert run(args=["payments", "set-country", "nobody@example.test", "IN", "--note", "x"]).exit_code == 2
