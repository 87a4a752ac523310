"""Cable tokens and signed streams in AnyCable's formats."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import jwt
import pytest

from jiki_core.cable.tokens import (
    CableTokenExpired,
    CableTokenInvalid,
    issue_cable_token,
    redact_token,
    sign_stream,
    token_of,
    verify_cable_token,
    verify_signed_stream,
)

SECRET = "a secret of at least sixty-four bytes, so that longer digests may be tried"
NOW = 1_795_340_000


def test_a_token_says_who_and_until_when() -> None:
    token = verify_cable_token(SECRET, issue_cable_token(SECRET, 42, session_id="s1", now=NOW), now=NOW + 299)
    assert (token.user_id, token.session_id, token.expires_at) == (42, "s1", NOW + 300)


def test_anycable_can_read_it() -> None:
    token = issue_cable_token(SECRET, 42, session_id=None, now=NOW)
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    assert jwt.decode(token, SECRET, algorithms=["HS256"], options={"verify_exp": False}) == {
        "ext": '{"user_id":42}',
        "exp": NOW + 300,
    }


def test_a_token_runs_out() -> None:
    token = issue_cable_token(SECRET, 42, session_id=None, now=NOW)
    with pytest.raises(CableTokenExpired):
        verify_cable_token(SECRET, token, now=NOW + 300)


def _signed(claims: object, *, secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, secret, algorithm=algorithm)  # type: ignore[arg-type]  # wrong claims are the point


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        "a.b.c",
        _signed({"ext": '{"user_id":42}', "exp": NOW + 300}, secret="b" * 40),
        _signed({"ext": '{"user_id":42}', "exp": NOW + 300}, algorithm="HS512"),
        jwt.encode({"ext": '{"user_id":42}', "exp": NOW + 300}, None, algorithm="none"),
        _signed({"exp": NOW + 300}),
        _signed({"ext": '{"user_id":42}'}),
        _signed({"ext": {"user_id": 42}, "exp": NOW + 300}),
        _signed({"ext": '{"user_id":"42"}', "exp": NOW + 300}),
        _signed({"ext": '{"user_id":true}', "exp": NOW + 300}),
        _signed({"ext": "[]", "exp": NOW + 300}),
        _signed({"ext": '{"user_id":42}', "exp": NOW + 300, "sid": 7}),
    ],
)
def test_what_is_not_ours_is_refused(token: str) -> None:
    with pytest.raises(CableTokenInvalid):
        verify_cable_token(SECRET, token, now=NOW)


@pytest.mark.parametrize(
    ("environ", "token"),
    [
        ({}, None),
        ({"QUERY_STRING": "jid=abc&sid=1"}, "abc"),
        ({"QUERY_STRING": "jid="}, None),
        ({"HTTP_SEC_WEBSOCKET_PROTOCOL": "actioncable-v1-json, anycable-token.x.y.z"}, "x.y.z"),
        ({"HTTP_SEC_WEBSOCKET_PROTOCOL": "anycable-token.first", "QUERY_STRING": "jid=second"}, "first"),
        ({"HTTP_X_JID": "header"}, None),
        ({"HTTP_AUTHORIZATION": "Bearer abc"}, None),
    ],
)
def test_a_token_comes_in_the_query_or_as_a_subprotocol_and_nowhere_else(
    environ: dict[str, str], token: str | None
) -> None:
    assert token_of(environ) == token


def test_a_token_does_not_reach_the_servers_log() -> None:
    environ = {"PATH_INFO": "/cable", "QUERY_STRING": "jid=secret&sid=1", "RAW_URI": "/cable?jid=secret&sid=1"}
    redact_token(environ)
    assert "secret" not in str(environ)
    assert environ["RAW_URI"] == "/cable?jid=redacted&sid=1"


def test_a_signed_stream_is_anycables() -> None:
    encoded = base64.b64encode(json.dumps("exercise/7/u42").encode()).decode()
    digest = hmac.new(SECRET.encode(), encoded.encode(), hashlib.sha256).hexdigest()
    assert sign_stream(SECRET, "exercise/7/u42") == f"{encoded}--{digest}"
    assert verify_signed_stream(SECRET, f"{encoded}--{digest}") == "exercise/7/u42"


@pytest.mark.parametrize(
    "tampered",
    [
        "",
        "ImEi",
        "ImEi--",
        sign_stream("b" * 40, "a"),
        sign_stream(SECRET, "a")[:-1],
        "Im" + sign_stream(SECRET, "a"),
        sign_stream(SECRET, "a") + "--x",
        "ü--ü",
    ],
)
def test_a_stream_that_we_did_not_sign_is_none(tampered: str) -> None:
    assert verify_signed_stream(SECRET, tampered) is None
