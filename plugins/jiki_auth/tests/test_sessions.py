"""Where somebody is signed in, and ending it (contract.md section 1, trust.md 1.2)."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import update

from jiki_auth.models import Session
from jiki_auth.testing import PASSWORD, make_user, signed_in
from jiki_core.db import unit_of_work
from jiki_core.testing import ApiClient


@pytest.fixture
def user(db):
    return make_user(db)


def listed(client):
    return client.get("internal/sessions").expect(200).body["sessions"]


def test_the_list_shows_devices_and_networks_and_no_secret(db, user):
    client = ApiClient(db)
    client.post(
        "auth/login",
        {"user": {"email": user.email, "password": PASSWORD}},
        headers={"User-Agent": "Firefox 140", "CF-Connecting-IP": "203.0.113.7"},
    ).expect(200)
    (session,) = listed(client)
    assert (session["device"], session["network"], session["kind"]) == ("Firefox 140", "203.0.113.0/24", "cookie")
    assert session["is_current"] is True
    assert session.keys() == {
        "id",
        "kind",
        "device",
        "network",
        "is_current",
        "created_at",
        "last_used_at",
        "expires_at",
    }


def test_one_session_is_ended_and_only_that_one(db, user):
    first, second = signed_in(db, user), signed_in(db, user)
    other = next(one["id"] for one in listed(first) if not one["is_current"])
    first.delete(f"internal/sessions/{other}").expect(204)
    second.get("internal/me").expect(401)
    first.get("internal/me").expect(200)


def test_all_others_are_ended(db, user):
    first, second, third = signed_in(db, user), signed_in(db, user), signed_in(db, user)
    first.delete("internal/sessions/others").expect(204)
    for ended in (second, third):
        ended.get("internal/me").expect(401)
    assert len(listed(first)) == 1


def test_somebody_elses_session_is_not_found(db, user):
    mine, theirs = signed_in(db), signed_in(db, user)
    mine.delete(f"internal/sessions/{listed(theirs)[0]['id']}").expect(404, "not_found")
    mine.delete(f"internal/sessions/{uuid.uuid4()}").expect(404, "not_found")
    theirs.get("internal/me").expect(200)


@pytest.mark.parametrize(("column", "age"), [("last_used_at", {"days": 30}), ("expires_at", {"days": 90})])
def test_a_session_ends_by_itself(db, user, column, age):
    client = signed_in(db, user)
    with db.app_context(), unit_of_work() as uow:
        uow.session.execute(update(Session).values({column: getattr(Session, column) - timedelta(**age)}))
    client.get("internal/me").expect(401, "unauthenticated")


def test_use_renews_the_session_and_its_cookie_once_an_hour(db, user):
    client = signed_in(db, user)
    with db.app_context(), unit_of_work() as uow:
        uow.session.execute(update(Session).values(last_used_at=uow.now - timedelta(days=29)))
    renewed = [one for one in client.get("internal/me").headers.getlist("Set-Cookie") if one.startswith("jiki_session")]
    assert len(renewed) == 1
    assert "Max-Age=2592000" in renewed[0]
    again = client.get("internal/me").expect(200)
    assert not [one for one in again.headers.getlist("Set-Cookie") if one.startswith("jiki_session")]
