"""API keys (contract.md section 1, trust.md 1.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from jiki_auth.api_key_format import checksum, new_parts, parse
from jiki_auth.models import ApiKey
from jiki_auth.testing import make_user, signed_in
from jiki_core.db import reading, unit_of_work
from jiki_core.testing import ApiClient, count_queries

from .test_settings import age_sign_in

SCOPE = "auth.read_own_account"


@pytest.fixture
def user(db):
    return make_user(db)


@pytest.fixture
def me(db, user):
    return signed_in(db, user)


@pytest.fixture
def key(me):
    return me.post("internal/api_keys", {"name": "CI", "scopes": [SCOPE]}).expect(201).body["api_key"]


def with_key(app, text):
    return ApiClient(app, {"Authorization": f"Bearer {text}"})


def test_a_key_is_shown_once(me, key):
    assert re.fullmatch(r"jk_test_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}", key["key"])
    listed = me.get("internal/api_keys").expect(200).body["api_keys"]
    assert listed == [{name: value for name, value in key.items() if name != "key"}]


def test_a_key_opens_what_its_scopes_name(db, user, key):
    assert with_key(db, key["key"]).get("internal/me").expect(200).body["user"]["email"] == user.email


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "internal/settings"),
        ("PATCH", "internal/settings/password"),
        ("PATCH", "internal/settings/email"),
        ("GET", "internal/sessions"),
        ("GET", "internal/api_keys"),
        ("POST", "internal/api_keys"),
        ("POST", "internal/settings/two_factor"),
        ("POST", "auth/account_deletion/request"),
    ],
)
def test_account_security_is_never_open_to_a_key(db, key, method, path):
    answer = with_key(db, key["key"]).call(method, path).expect(403, "insufficient_scope")
    assert answer.error["scope"] == "auth.manage_own_account"


@pytest.mark.parametrize(
    "scopes", [[], ["auth.manage_own_account"], ["auth.manage_users"], ["core.administer"], ["no.such"]]
)
def test_scopes_that_cannot_be_given(me, scopes):
    answer = me.post("internal/api_keys", {"name": "CI", "scopes": scopes}).expect(422, "validation_error")
    assert answer.error["errors"] == {"scopes": [{"error": "inclusion"}]}


def test_even_an_admins_key_manages_no_users(db):
    admin = signed_in(db, make_user(db, is_admin=True))
    body = {"name": "CI", "scopes": ["auth.manage_users"]}
    admin.post("internal/api_keys", body).expect(422, "validation_error")
    key = admin.post("internal/api_keys", {"name": "CI", "scopes": ["core.administer"]}).expect(201).body["api_key"]
    with_key(db, key["key"]).get("admin/users").expect(403, "insufficient_scope")


def test_a_key_with_a_wrong_checksum_costs_no_query(db, key):
    wrong = key["key"][:-1] + ("A" if key["key"][-1] != "A" else "B")
    with count_queries(db) as queries:
        with_key(db, wrong).get("internal/me").expect(401, "invalid_token")
    assert not queries.statements


@pytest.mark.parametrize("spoil", ["secret", "id", "environment", "length"])
def test_spoilt_keys_with_a_right_checksum(db, key, spoil):
    _, _, key_id, rest = key["key"].split("_")
    body = {
        "secret": f"jk_test_{key_id}_{rest[:31]}{'0' if rest[31] != '0' else '1'}",
        "id": f"jk_test_{'0' * 12}_{rest[:32]}",
        "environment": f"jk_live_{key_id}_{rest[:32]}",
        "length": f"jk_test_{key_id}_{rest[:31]}",
    }[spoil]
    with_key(db, body + checksum(body)).get("internal/me").expect(401, "invalid_token")


def test_a_key_is_deleted_at_once(db, me, key):
    me.delete(f"internal/api_keys/{key['id']}").expect(204)
    with_key(db, key["key"]).get("internal/me").expect(401, "invalid_token")
    me.delete(f"internal/api_keys/{key['id']}").expect(404, "not_found")


def test_rotation_overlaps_for_a_day(db, me, key):
    rotated = me.post(f"internal/api_keys/{key['id']}/rotate").expect(200).body["api_key"]
    assert rotated["id"] == key["id"]
    for text in (key["key"], rotated["key"]):
        with_key(db, text).get("internal/me").expect(200)
    with db.app_context(), unit_of_work() as uow:
        uow.session.execute(update(ApiKey).values(previous_until=uow.now - timedelta(seconds=1)))
    with_key(db, key["key"]).get("internal/me").expect(401, "invalid_token")
    with_key(db, rotated["key"]).get("internal/me").expect(200)


def test_an_expired_key_says_so(db, me):
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = {"name": "CI", "scopes": [SCOPE], "expires_at": soon}
    key = me.post("internal/api_keys", body).expect(201).body["api_key"]
    with db.app_context(), unit_of_work() as uow:
        uow.session.execute(update(ApiKey).values(expires_at=uow.now - timedelta(seconds=1)))
    with_key(db, key["key"]).get("internal/me").expect(401, "key_expired")


def test_an_end_in_the_past_is_refused(me):
    body = {"name": "CI", "scopes": [SCOPE], "expires_at": "2020-01-01T00:00:00Z"}
    me.post("internal/api_keys", body).expect(422, "validation_error")


def test_the_last_use_is_noted(db, me, key):
    with_key(db, key["key"]).get("internal/me").expect(200)
    assert me.get("internal/api_keys").body["api_keys"][0]["last_used_at"] is not None


def test_somebody_elses_key_is_not_found(db, key):
    other = signed_in(db)
    other.delete(f"internal/api_keys/{key['id']}").expect(404, "not_found")
    other.post(f"internal/api_keys/{key['id']}/rotate").expect(404, "not_found")


def test_making_one_needs_a_recent_sign_in(db, me, user):
    age_sign_in(db, user, minutes=11)
    me.post("internal/api_keys", {"name": "CI", "scopes": [SCOPE]}).expect(403, "reauth_required")


def test_only_a_hash_is_kept(db, key):
    with db.app_context():
        row = reading().execute(select(ApiKey)).scalar_one()
    assert len(row.secret_hash) == 32
    assert key["key"].rpartition("_")[2][:32].encode() not in row.secret_hash


def test_what_is_made_is_read_back():
    parts = new_parts("production")
    assert parse(parts.text, "production") == parts
    assert parse(parts.text, "development") is None
