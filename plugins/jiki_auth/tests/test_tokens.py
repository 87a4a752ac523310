"""Bearer tokens: what is issued, what is refused, and how keys rotate (contract.md section 1, trust.md 1.2)."""

from __future__ import annotations

import base64
import json
import time
import uuid

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
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
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def forge(app, pair, how):
    """A token that differs from a good one in one respect."""
    good = pair["access_token"]
    claims = jwt.decode(good, options={"verify_signature": False})
    key = derived_key(runtime_of(app).settings, "access-token")
    headers = {"kid": "core-1", "typ": "at+jwt"}
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    rsa_pem = rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public_der = rsa_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def signed(changed=None, more_headers=None, with_key=key, without=()):
        body = {name: value for name, value in {**claims, **(changed or {})}.items() if name not in without}
        return jwt.encode(body, with_key, "HS256", headers={**headers, **(more_headers or {})})

    duplicated = (
        encoded({"alg": "HS256", **headers})
        + "."
        + base64.urlsafe_b64encode(json.dumps(claims).encode()[:-1] + b',"sub":"1"}').decode().rstrip("=")
    )
    forgeries = {
        "alg none": lambda: f"{encoded({'alg': 'none', **headers})}.{good.split('.')[1]}.",
        "alg None in capitals": lambda: f"{encoded({'alg': 'NONE', **headers})}.{good.split('.')[1]}.",
        "RS256": lambda: jwt.encode(claims, rsa_pem, "RS256", headers=headers),
        "RS256 key as HS256 secret": lambda: signed(with_key=public_der),
        "EdDSA header on an HS256 token": lambda: f"{encoded({'alg': 'EdDSA', **headers})}.{good.split('.', 1)[1]}",
        "unknown kid": lambda: signed(more_headers={"kid": "other"}),
        "kid of another algorithm": lambda: signed(more_headers={"kid": "core-ed-1"}),
        "jku": lambda: signed(more_headers={"jku": "https://evil.example/keys"}),
        "x5u": lambda: signed(more_headers={"x5u": "https://evil.example/cert"}),
        "embedded jwk": lambda: signed(more_headers={"jwk": {"kty": "oct", "k": "a2V5"}}),
        "wrong audience": lambda: signed({"aud": "other"}),
        "no audience": lambda: signed(without=("aud",)),
        "wrong issuer": lambda: signed({"iss": "other"}),
        "wrong typ": lambda: signed(more_headers={"typ": "JWT"}),
        "refresh type": lambda: signed({"type": "refresh"}),
        "refresh token": lambda: pair["refresh_token"],
        "expired": lambda: signed({"exp": int(time.time()) - 1}),
        "not yet": lambda: signed({"nbf": int(time.time()) + 3_600}),
        "no subject": lambda: signed(without=("sub",)),
        "no session": lambda: signed(without=("sid",)),
        "session is no id": lambda: signed({"sid": "x"}),
        "session is a number": lambda: signed({"sid": 7}),
        "unknown session": lambda: signed({"sid": uuid.uuid4().hex}),
        "no expiry": lambda: signed(without=("exp",)),
        "truncated signature": lambda: good[:-5],
        "changed payload": lambda: ".".join((good.split(".")[0], encoded({**claims, "sub": "1"}), good.split(".")[2])),
        "duplicate claim": lambda: (
            f"{duplicated}.{base64.urlsafe_b64encode(jwt.algorithms.HMACAlgorithm('SHA256').sign(duplicated.encode(), key)).decode().rstrip('=')}"
        ),
        "10 kB header": lambda: signed(more_headers={"kid": "k" * 10_000}),
        "two dots": lambda: "..",
        "empty": lambda: "",
        "not ASCII": lambda: "é.é.é",
        "junk": lambda: "junk",
    }
    return forgeries[how]()


@pytest.mark.parametrize(
    "how",
    [
        "alg none",
        "alg None in capitals",
        "RS256",
        "RS256 key as HS256 secret",
        "EdDSA header on an HS256 token",
        "unknown kid",
        "kid of another algorithm",
        "jku",
        "x5u",
        "embedded jwk",
        "wrong audience",
        "no audience",
        "wrong issuer",
        "wrong typ",
        "refresh type",
        "refresh token",
        "expired",
        "not yet",
        "no subject",
        "no session",
        "session is no id",
        "session is a number",
        "unknown session",
        "no expiry",
        "truncated signature",
        "changed payload",
        "duplicate claim",
        "10 kB header",
        "two dots",
        "empty",
        "not ASCII",
        "junk",
    ],
)
def test_forged_tokens_are_401_and_never_500(db, pair, how):
    call(db, forge(db, pair, how)).expect(401, "invalid_token")
    call(db, pair["access_token"]).expect(200)


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
