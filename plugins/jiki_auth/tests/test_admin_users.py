"""`admin/users*` (contract.md 2.6): search, edit, delete, roles, sessions, the trail."""

from __future__ import annotations

import pytest

from jiki_auth.testing import PASSWORD, make_user, signed_in

from .conftest import token_in


@pytest.fixture
def admin_user(db):
    return make_user(db, is_admin=True)


@pytest.fixture
def admin(db, admin_user):
    return signed_in(db, admin_user)


@pytest.fixture
def user(db):
    return make_user(db)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "admin/users"),
        ("GET", "admin/users/1"),
        ("PATCH", "admin/users/1"),
        ("DELETE", "admin/users/1"),
        ("DELETE", "admin/users/1/sessions"),
        ("PUT", "admin/users/1/roles/admin"),
        ("DELETE", "admin/users/1/roles/admin"),
        ("GET", "admin/users/1/audit"),
    ],
)
def test_only_admins(client, db, method, path):
    client.call(method, path).expect(401, "unauthenticated")
    answer = signed_in(db).call(method, path).expect(403, "forbidden")
    assert "meta" not in answer.body


def test_the_list_is_paginated_without_events(admin, admin_user, user):
    answer = admin.get("admin/users?per=1&page=2").expect(200)
    assert answer.body == {
        "results": [{"id": user.id, "name": None, "email": user.email, "locale": "en", "admin": False}],
        "meta": {"current_page": 2, "total_count": 2, "total_pages": 2},
    }


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("email=learner", 3),
        ("email=LEARNER", 0),
        ("email=%25", 0),
        ("email=_", 0),
        ("name=Love", 1),
        ("name=love", 0),
        ("name=Love&email=nobody", 0),
        ("", 3),
    ],
)
def test_search_is_by_part_and_case(admin, db, query, count):
    signed_in(db).patch("internal/settings/name", {"value": "Ada Lovelace"}).expect(200)
    make_user(db)
    assert admin.get(f"admin/users?{query}").expect(200).body["meta"]["total_count"] == count


def test_one_user(admin, user):
    answer = admin.get(f"admin/users/{user.id}").expect(200)
    assert answer.body == {"user": {"id": user.id, "name": None, "email": user.email, "locale": "en", "admin": False}}


@pytest.mark.parametrize("user_id", ["0", "999999999", "99999999999999999999999"])
@pytest.mark.parametrize(
    ("method", "rest"),
    [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("DELETE", "/sessions"), ("GET", "/roles"), ("GET", "/audit")],
)
def test_nobody_has_that_id(admin, method, rest, user_id):
    body = {"user": {"email": "new@example.test"}} if method == "PATCH" else None
    admin.call(method, f"admin/users/{user_id}{rest}", json=body).expect(404, "user_not_found")


def test_an_edited_address_confirms_like_any_other(admin, user, client, newest):
    answer = admin.patch(f"admin/users/{user.id}", {"user": {"email": "new@example.test"}}).expect(200)
    assert answer.body["user"]["email"] == user.email
    assert newest(user.email, "about to change")
    client.get(f"auth/confirmation?confirmation_token={token_in(newest('new@example.test'))}").expect(200)
    assert admin.get(f"admin/users/{user.id}").body["user"]["email"] == "new@example.test"


def test_only_the_address_can_be_edited(admin, user):
    answer = admin.patch(f"admin/users/{user.id}", {"user": {"email": "a@b.test", "admin": True}})
    assert answer.expect(422, "validation_error").error["errors"] == {"admin": [{"error": "unknown_field"}]}


def test_deleting_removes_the_account(admin, db, user):
    theirs = signed_in(db, user)
    admin.delete(f"admin/users/{user.id}").expect(204)
    admin.get(f"admin/users/{user.id}").expect(404, "user_not_found")
    theirs.get("internal/me").expect(401)


def test_nobody_deletes_or_demotes_themselves(admin, admin_user):
    admin.delete(f"admin/users/{admin_user.id}").expect(403, "forbidden")
    admin.delete(f"admin/users/{admin_user.id}/roles/admin").expect(403, "forbidden")


def test_ending_sessions_signs_out_everywhere(admin, db, user, client):
    theirs = signed_in(db, user)
    pair = client.post("auth/token", {"email": user.email, "password": PASSWORD}).expect(200).body
    admin.delete(f"admin/users/{user.id}/sessions").expect(204)
    theirs.get("internal/me").expect(401)
    client.get("internal/me", headers={"Authorization": f"Bearer {pair['access_token']}"}).expect(401, "invalid_token")
    client.post("auth/token/refresh", {"refresh_token": pair["refresh_token"]}).expect(401, "invalid_token")


def test_a_role_is_given_and_taken(admin, db, user, client):
    theirs = signed_in(db, user)
    assert admin.put(f"admin/users/{user.id}/roles/admin").expect(200).body == {"roles": ["admin"]}
    theirs.get("internal/me").expect(401)  # signs in again, with a second factor from now on
    answer = client.post("auth/login", {"user": {"email": user.email, "password": PASSWORD}}).expect(200)
    assert answer.body["status"] == "2fa_setup_required"
    assert admin.get(f"admin/users/{user.id}/roles").expect(200).body == {"roles": ["admin"]}
    assert admin.delete(f"admin/users/{user.id}/roles/admin").expect(200).body == {"roles": []}


@pytest.mark.parametrize("role", ["emperor", "learner"])
def test_roles_that_cannot_be_given(admin, user, role):
    admin.put(f"admin/users/{user.id}/roles/{role}").expect(422, "validation_error")


def test_a_demoted_admin_is_refused_at_once(admin, db):
    other = make_user(db, is_admin=True)
    theirs = signed_in(db, other)
    theirs.get("admin/users").expect(200)
    admin.delete(f"admin/users/{other.id}/roles/admin").expect(200)
    theirs.get("admin/users").expect(403, "forbidden")


def test_an_admin_helps_somebody_who_lost_the_device(admin, db, user, newest):
    theirs = signed_in(db, user)
    admin.delete(f"admin/users/{user.id}/two_factor").expect(204)
    theirs.get("internal/me").expect(401)
    assert newest(user.email, "authentication is off")


def test_the_trail_shows_what_happened(admin, admin_user, db, user, client):
    client.post("auth/login", {"user": {"email": user.email, "password": "a wrong password 99"}}).expect(401)
    client.post("auth/login", {"user": {"email": user.email, "password": PASSWORD}}).expect(200)
    admin.put(f"admin/users/{user.id}/roles/admin").expect(200)
    trail = admin.get(f"admin/users/{user.id}/audit").expect(200).body["results"]
    told = {(entry["action"], entry["outcome"]): entry for entry in trail}
    assert {
        ("session:refused", "refused"),
        ("session:started", "done"),
        ("role:granted", "done"),
        ("account:created", "done"),
    } <= told.keys()
    assert told["role:granted", "done"]["actor_id"] == admin_user.id
    assert [entry["id"] for entry in trail] == sorted((entry["id"] for entry in trail), reverse=True)
