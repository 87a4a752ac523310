"""What operators see of sign-ins (trust.md 3.2)."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from jiki_auth.testing import make_user
from jiki_core.testing import ApiClient


def counted(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize(
    ("password", "is_confirmed", "status", "reason"),
    [
        ("maple sundial 41", True, 200, "accepted"),
        ("wrong one", True, 401, "wrong"),
        ("maple sundial 41", False, 401, "unconfirmed"),
    ],
)
def test_each_password_is_counted_by_what_became_of_it(db, password, is_confirmed, status, reason):
    user = make_user(db, is_confirmed=is_confirmed)
    before = counted("jiki_auth_attempts_total", mechanism="password", reason=reason)
    ApiClient(db).post("auth/login", {"user": {"email": user.email, "password": password}}).expect(status)
    assert counted("jiki_auth_attempts_total", mechanism="password", reason=reason) == before + 1


def test_a_refresh_token_that_is_used_twice_is_counted(db):
    user, client, before = make_user(db), ApiClient(db), counted("jiki_refresh_reuse_total")
    first = client.post("auth/token", {"email": user.email, "password": user.password}).body["refresh_token"]
    second = client.post("auth/token/refresh", {"refresh_token": first}).body["refresh_token"]
    client.post("auth/token/refresh", {"refresh_token": second}).expect(200)
    client.post("auth/token/refresh", {"refresh_token": first}).expect(401, "refresh_reused")
    assert counted("jiki_refresh_reuse_total") == before + 1
