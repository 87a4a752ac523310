"""Bearer tokens: what is issued, what is refused, and how keys rotate (contract.md section 1, trust.md 1.2)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import select

from jiki_auth.access_tokens import AUDIENCE, ISSUER
from jiki_auth.commands.rotate_signing_key import rotate_signing_key
from jiki_auth.keyring import keyring
from jiki_auth.models import SigningKey
from jiki_auth.settings import auth_settings
from jiki_auth.testing import PASSWORD, make_user
from jiki_core.configuration import derived_key
from jiki_core.db import reading, unit_of_work
from jiki_core.runtime import runtime_of
from jiki_core.testing import ApiClient


@pytest.fixture
def user(db):
    return make_user(db)


@pytest.fixture
def pair(client, user):
    return client.post("auth/token", {"email": user.email, "password": PASSWORD}).expect(200).body


def call(app, token):
    return ApiClient(app, {"Authorization": f"Bearer {token}"}).get("internal/me")


def test_a_pair_is_what_the_contract_says(db, pair, user):
    assert pair.keys() == {"access_token", "refresh_token", "token_type", "expires_in", "meta"}
    assert (pair["token_type"], pair["expires_in"]) == ("Bearer", 900)
    header = jwt.get_unverified_header(pair["access_token"])
    assert header == {"alg": "HS256", "kid": "core-1", "typ": "at+jwt"}
    assert call(db, pair["access_token"]).expect(200).body["user"]["email"] == user.email


def test_an_answer_with_tokens_is_never_stored(client, user):
    answer = client.post("auth/token", {"email": user.email, "password": PASSWORD})
    assert answer.headers["Cache-Control"] == "no-store"


def encoded(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class Forger:
    """A good token and what it takes to spoil it."""

    def __init__(self, app, pair):
        self.good, self.refresh_token = pair["access_token"], pair["refresh_token"]
        self.header, self.payload, self.signature = self.good.split(".")
        self.claims = jwt.decode(self.good, options={"verify_signature": False})
        self.key = derived_key(runtime_of(app).settings, "access-token")
        self.public_key = (
            Ed25519PrivateKey.from_private_bytes(derived_key(runtime_of(app).settings, "access-token-ed25519"))
            .public_key()
            .public_bytes_raw()
        )

    def signed(self, headers=None, *, key=None, without=(), **changed):
        """With our own key unless told otherwise: only the named difference makes it bad."""
        claims = {name: value for name, value in {**self.claims, **changed}.items() if name not in without}
        return jwt.encode(claims, key or self.key, "HS256", headers={**HEADERS, **(headers or {})})

    def unsigned(self, alg):
        return f"{encoded({'alg': alg, **HEADERS})}.{self.payload}."

    def rsa(self):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return jwt.encode(self.claims, pem, "RS256", headers=HEADERS)

    def with_duplicate_claim(self):
        payload = encoded(json.dumps(self.claims).encode()[:-1] + b',"sub":"1"}')
        signature = hmac.digest(self.key, f"{self.header}.{payload}".encode(), hashlib.sha256)
        return f"{self.header}.{payload}.{encoded(signature)}"


HEADERS = {"kid": "core-1", "typ": "at+jwt"}
FORGERIES = {
    "alg none": lambda good: good.unsigned("none"),
    "alg NONE": lambda good: good.unsigned("NONE"),
    "RS256": lambda good: good.rsa(),
    "public key as HS256 secret": lambda good: good.signed({"kid": "core-ed-1"}, key=good.public_key),
    "another algorithm's header": lambda good: (
        f"{encoded({'alg': 'EdDSA', **HEADERS})}.{good.payload}.{good.signature}"
    ),
    "unknown kid": lambda good: good.signed({"kid": "other"}),
    "kid of another algorithm": lambda good: good.signed({"kid": "core-ed-1"}),
    "jku": lambda good: good.signed({"jku": "https://evil.example/keys"}),
    "x5u": lambda good: good.signed({"x5u": "https://evil.example/cert"}),
    "embedded jwk": lambda good: good.signed({"jwk": {"kty": "oct", "k": "a2V5"}}),
    "another key": lambda good: good.signed(key=b"k" * 32),
    "wrong audience": lambda good: good.signed(aud="other"),
    "no audience": lambda good: good.signed(without=("aud",)),
    "wrong issuer": lambda good: good.signed(iss="other"),
    "wrong typ": lambda good: good.signed({"typ": "JWT"}),
    "refresh type": lambda good: good.signed(type="refresh"),
    "refresh token": lambda good: good.refresh_token,
    "expired": lambda good: good.signed(exp=int(time.time()) - 1),
    "not yet valid": lambda good: good.signed(nbf=int(time.time()) + 3_600),
    "no subject": lambda good: good.signed(without=("sub",)),
    "no session": lambda good: good.signed(without=("sid",)),
    "session is no id": lambda good: good.signed(sid="x"),
    "session is a number": lambda good: good.signed(sid=7),
    "unknown session": lambda good: good.signed(sid=uuid.uuid4().hex),
    "no expiry": lambda good: good.signed(without=("exp",)),
    "truncated signature": lambda good: good.good[:-5],
    "changed payload": lambda good: f"{good.header}.{encoded({**good.claims, 'sub': '1'})}.{good.signature}",
    "duplicate claim": lambda good: good.with_duplicate_claim(),
    "10 kB header": lambda good: good.signed({"kid": "k" * 10_000}),
    "two dots": lambda good: "..",
    "empty": lambda good: "",
    "not ASCII": lambda good: "é.é.é",
    "junk": lambda good: "junk",
}


@pytest.mark.parametrize("how", FORGERIES)
def test_forged_tokens_are_401_and_never_500(db, pair, how):
    call(db, FORGERIES[how](Forger(db, pair))).expect(401, "invalid_token")
    call(db, pair["access_token"]).expect(200)


def test_what_the_forger_signs_unchanged_is_good(db, pair):
    call(db, Forger(db, pair).signed()).expect(200)


def test_a_token_ends_after_fifteen_minutes_although_it_was_verified_before(db, pair):
    call(db, pair["access_token"]).expect(200)
    with time_machine.travel(time.time() + 901, tick=True):
        call(db, pair["access_token"]).expect(401, "invalid_token")


def test_revoking_ends_access_at_once(client, db, pair):
    call(db, pair["access_token"]).expect(200)
    client.post("auth/token/revoke", {"refresh_token": pair["refresh_token"]}).expect(204)
    call(db, pair["access_token"]).expect(401, "invalid_token")
    client.post("auth/token/refresh", {"refresh_token": pair["refresh_token"]}).expect(401, "invalid_token")


def test_revoking_rotates_nothing(client, pair):
    client.post("auth/token/revoke", {"refresh_token": pair["refresh_token"][:-3]}).expect(401, "invalid_token")
    client.post("auth/token/refresh", {"refresh_token": pair["refresh_token"]}).expect(200)


def test_a_cookies_session_is_no_bearer_session(client, db, user):
    client.post("auth/login", {"user": {"email": user.email, "password": PASSWORD}}).expect(200)
    session_id = client.http.get_cookie("jiki_session").value.partition(".")[0]
    key = derived_key(runtime_of(db).settings, "access-token")
    now = int(time.time())
    claims = {
        "sub": str(user.id),
        "sid": session_id,
        "type": "access",
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "nbf": now,
        "exp": now + 60,
        "jti": "x",
        "fresh": False,
    }
    token = jwt.encode(claims, key, "HS256", headers={"kid": "core-1", "typ": "at+jwt"})
    call(db, token).expect(401, "invalid_token")


def rotate(app):
    with app.app_context(), unit_of_work() as uow:
        return rotate_signing_key(uow, auth_settings())


@pytest.mark.parametrize("algorithm", ["HS256", "EdDSA"])
def test_keys_rotate_without_signing_anybody_out(app_with, algorithm):
    app = app_with(JIKI_AUTH_ACCESS_TOKEN_ALGORITHM=algorithm)
    user, client = make_user(app), ApiClient(app)

    def new_token():
        return client.post("auth/token", {"email": user.email, "password": PASSWORD}).expect(200).body["access_token"]

    before = new_token()
    key_id = rotate(app)
    assert jwt.get_unverified_header(new_token())["kid"] != key_id, "it signs only when every process has seen it"
    with time_machine.travel(time.time() + 120, tick=True):
        with app.app_context():
            keyring().forget()
        after = new_token()
        assert jwt.get_unverified_header(after) == {"alg": algorithm, "kid": key_id, "typ": "at+jwt"}
        call(app, before).expect(200)
        call(app, after).expect(200)
    with time_machine.travel(time.time() + 3_600, tick=True), app.app_context():
        keyring().forget()
        old = jwt.get_unverified_header(before)
        assert keyring().find(old["kid"], old["alg"]) is None


def test_a_signing_key_lies_sealed(db):
    key_id = rotate(db)
    with db.app_context():
        row = reading().execute(select(SigningKey)).scalar_one()
        material = auth_settings().sealing_keys().open(row.key_sealed, bound_to=f"signing-key:{key_id}")
    assert len(material) == 32
    assert material not in row.key_sealed.encode()
