"""`POST internal/cable_token`: what it gives, to whom, and for whom it speaks (contract.md section 1, "sockets")."""

from __future__ import annotations

import time

from jiki_auth.testing import make_user, signed_in
from jiki_core.cable.tokens import verify_cable_token
from jiki_core.runtime import runtime_of
from jiki_core.testing import ApiClient


def test_it_speaks_for_the_session_that_asked_for_five_minutes(db):
    user = make_user(db)
    client = signed_in(db, user)
    answer = client.post("internal/cable_token").expect(200)
    assert answer.body == {"token": answer.body["token"], "expires_in": 300, "meta": {"events": []}}
    assert answer.headers["Cache-Control"] == "no-store"
    said = verify_cable_token(runtime_of(db).settings.cable_key, answer.body["token"], now=time.time())
    (session,) = client.get("internal/sessions").expect(200).body["sessions"]
    assert (said.user_id, said.session_id.replace("-", "")) == (user.id, session["id"].replace("-", ""))


def test_a_bearer_token_gets_one_too(db):
    user = make_user(db)
    pair = ApiClient(db).post("auth/token", {"email": user.email, "password": user.password}).expect(200).body
    ApiClient(db, {"Authorization": f"Bearer {pair['access_token']}"}).post("internal/cable_token").expect(200)


def test_strangers_and_keys_get_none(db):
    ApiClient(db).post("internal/cable_token").expect(401, "unauthenticated")
    body = {"name": "CI", "scopes": ["auth.read_own_account"]}
    key = signed_in(db).post("internal/api_keys", body).expect(201).body["api_key"]["key"]
    script = ApiClient(db, {"Authorization": f"Bearer {key}"})
    script.post("internal/cable_token").expect(403, "insufficient_scope")
