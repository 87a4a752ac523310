"""The admin's routes: entitlements, price tables, notices."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest

from jiki_auth.testing import make_user, signed_in
from jiki_core.db import unit_of_work
from jiki_payments.commands.receive_notice import receive_notice
from jiki_payments.notices import read_notice
from jiki_payments.price_files import read_price_file, write_price_file
from jiki_payments.pricing import load_default_table
from jiki_payments.testing import make_premium

ROUTES = [
    ("GET", "admin/entitlements"),
    ("POST", "admin/entitlements"),
    ("DELETE", "admin/entitlements/1"),
    ("GET", "admin/price_tables"),
    ("POST", "admin/price_tables"),
    ("GET", "admin/price_tables/2025"),
    ("POST", "admin/price_tables/2025/publish"),
    ("GET", "admin/stripe_notices"),
    ("POST", "admin/stripe_notices/evt_1/replay"),
]


@pytest.fixture
def admin(db):
    return signed_in(db, make_user(db, is_admin=True))


@pytest.fixture
def learner(db):
    return make_user(db)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_learner_is_refused(db, learner, method, path):
    body = None if method == "GET" else {}
    signed_in(db, learner).call(method, path, json=body).expect(403, "forbidden")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_stranger_is_refused(client, method, path):
    client.call(method, path, json=None if method == "GET" else {}).expect(401, "unauthenticated")


def test_giving_premium_and_taking_it_back(admin, db, learner):
    until = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    body = {"user_id": learner.id, "source": "gift", "expires_at": until, "note": "prize"}
    given = admin.post("admin/entitlements", body).expect(201).body["entitlement"]
    assert (given["user_id"], given["source"], given["note"]) == (learner.id, "gift", "prize")
    me = signed_in(db, learner)
    assert me.get("internal/me").body["user"]["membership_type"] == "premium"
    admin.delete(f"admin/entitlements/{given['id']}").expect(204)
    assert me.get("internal/me").body["user"]["membership_type"] == "standard"
    admin.delete(f"admin/entitlements/{given['id']}").expect(404, "entitlement_not_found")


def test_the_list_shows_history_without_meta_events(admin, db, learner):
    make_premium(db, learner.id)
    body = admin.get(f"admin/entitlements?user_id={learner.id}").expect(200).body
    assert [row["source"] for row in body["results"]] == ["grant"]
    assert body["meta"] == {"current_page": 1, "total_count": 1, "total_pages": 1}


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "user_id", "blank"),
        ({"user_id": "7"}, "user_id", "invalid"),
        ({"user_id": 7, "source": "stripe"}, "source", "inclusion"),
        ({"user_id": 7, "source": "luck"}, "source", "inclusion"),
        ({"user_id": 7, "expires_at": "tomorrow"}, "expires_at", "invalid"),
        ({"user_id": 7, "premium": True}, "premium", "unknown_field"),
    ],
)
def test_bad_grants_are_refused(admin, body, field, code):
    errors = admin.post("admin/entitlements", body).expect(422, "validation_error").error["errors"]
    assert errors[field][0]["error"] == code


def test_nobody_gets_nothing(admin):
    admin.post("admin/entitlements", {"user_id": 2**60}).expect(404, "not_found")
    admin.delete("admin/entitlements/9223372036854775807").expect(404)
    admin.get("admin/entitlements?user_id=x").expect(422, "validation_error")


def dearer(version="2026"):
    """The shipped table with dearer dollars, as the API takes it."""
    table = load_default_table()
    amounts = {code: asdict(one) for code, one in table.amounts_by_currency.items()}
    amounts["usd"] = {"monthly": 1299, "annual": 12900}
    return {
        "version": version,
        "default_currency": table.default_currency,
        "currency_by_country": dict(table.currency_by_country),
        "amounts": amounts,
        "note": "dollars are dearer",
    }


def test_a_price_table_is_in_force_once_published(admin, client):
    admin.post("admin/price_tables", dearer()).expect(201)
    assert client.get("external/pricing").body["premium_prices"]["monthly"] == 999
    admin.post("admin/price_tables/2026/publish").expect(200)
    assert client.get("external/pricing").body["premium_prices"]["monthly"] == 1299
    listed = admin.get("admin/price_tables").expect(200).body["price_tables"]
    assert [(row["version"], row["in_force"]) for row in listed] == [("2026", True), ("2025", False)]
    shown = admin.get("admin/price_tables/2026").expect(200).body["price_table"]
    assert shown["amounts"]["usd"] == {"monthly": 1299, "annual": 12900}
    assert admin.get("admin/price_tables/2025").body["price_table"]["amounts"]["usd"]["monthly"] == 999


def test_an_earlier_version_can_be_put_in_force_again(admin, client):
    for version in ("2026", "2027"):
        admin.post("admin/price_tables", dearer(version)).expect(201)
        admin.post(f"admin/price_tables/{version}/publish").expect(200)
    admin.post("admin/price_tables/2026/publish").expect(200)
    listed = admin.get("admin/price_tables").body["price_tables"]
    assert [row["version"] for row in listed if row["in_force"]] == ["2026"]


def test_a_version_is_added_once(admin):
    admin.post("admin/price_tables", dearer()).expect(201)
    errors = admin.post("admin/price_tables", dearer()).expect(422, "validation_error").error["errors"]
    assert errors["version"][0]["error"] == "taken"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body["currency_by_country"].pop("DE"),
        lambda body: body["currency_by_country"].update(QQ="eur"),
        lambda body: body["amounts"].pop("usd"),
        lambda body: body["amounts"].update(usd={"monthly": 999, "annual": 999}),
        lambda body: body["amounts"].update(usd={"monthly": 0, "annual": 0}),
        lambda body: body["amounts"].update(zzz={"monthly": 999, "annual": 9990}),
        lambda body: body["amounts"].update(usd={"monthly": 999}),
        lambda body: body["amounts"].update(usd=999),
        lambda body: body.update(currency_by_country=[]),
        lambda body: body.update(default_currency="xxx"),
    ],
)
def test_an_incomplete_table_is_refused(admin, spoil):
    body = dearer()
    spoil(body)
    admin.post("admin/price_tables", body).expect(422, "validation_error")


def test_an_unknown_version(admin):
    admin.get("admin/price_tables/1999").expect(404, "price_table_not_found")
    admin.post("admin/price_tables/1999/publish").expect(404, "price_table_not_found")


def test_a_table_survives_its_file(app, db, tmp_path):
    run = app.test_cli_runner().invoke
    exported = run(args=["payments", "prices", "export"]).output
    table = load_default_table()
    assert read_price_file(exported) == table
    file = tmp_path / "prices.toml"
    file.write_text(
        write_price_file(table).replace('"2025"', '"2026"').replace("999, annual = 9900", "1099, annual = 10900")
    )
    assert run(args=["payments", "prices", "check", str(file)]).output == "the price table is complete\n"
    imported = run(args=["payments", "prices", "import", str(file), "--publish", "--note", "dearer"])
    assert imported.exit_code == 0, imported.output
    assert run(args=["payments", "prices", "show"]).output.startswith("version 2026")
    again = run(args=["payments", "prices", "import", str(file)])
    assert again.exit_code == 1
    assert "version: 2026" in again.output


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("version = ", "this is no TOML"),
        ('version = "1"', "default_currency is missing"),
        ('version = "1"\nsurprise = 1', "unknown names: surprise"),
        (
            'version = "1"\ndefault_currency = "usd"\n[amounts]\nusd = { monthly = 1.5, annual = 2 }\n[currency_by_country]',
            "usd needs",
        ),
    ],
)
def test_a_file_that_cannot_be_read_says_where(app, db, tmp_path, text, sentence):
    file = tmp_path / "prices.toml"
    file.write_text(text)
    result = app.test_cli_runner().invoke(args=["payments", "prices", "check", str(file)])
    assert result.exit_code == 1
    assert sentence in result.output


def test_grants_and_revocations_by_command(app, db, learner):
    run = app.test_cli_runner().invoke
    assert run(args=["payments", "grant", learner.email, "--until", "2099-01-01"]).exit_code == 0
    assert signed_in(db, learner).get("internal/me").body["user"]["membership_type"] == "premium"
    assert "standard now" in run(args=["payments", "revoke", str(learner.id)]).output
    assert run(args=["payments", "revoke", learner.handle]).exit_code == 1
    assert run(args=["payments", "grant", "nobody@example.test"]).exit_code == 2


def test_notices_are_listed_and_handled_again(admin, db):
    event = {
        "id": "evt_1",
        "type": "moon.landed",
        "created": 1_790_000_000,
        "data": {"object": {"id": "moon_1", "object": "moon"}},
    }
    with db.app_context(), unit_of_work() as uow:
        receive_notice(uow, read_notice(event))
    body = admin.get("admin/stripe_notices?state=unknown&type=moon.landed").expect(200).body
    assert [row["event_id"] for row in body["results"]] == ["evt_1"]
    assert admin.get("admin/stripe_notices?state=parked").body["results"] == []
    replayed = admin.post("admin/stripe_notices/evt_1/replay").expect(202).body["stripe_notice"]
    assert replayed["state"] == "new"
    admin.post("admin/stripe_notices/evt_2/replay").expect(404, "stripe_notice_not_found")
