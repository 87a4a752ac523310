"""Cable tokens and signed stream names, in AnyCable's formats (realtime.md 1.2 and 2), and how they arrive.

An operator who puts AnyCable in front gives it the same secret; nothing else changes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

import jwt
import orjson

#: seconds that a token opens sockets for, and that a socket opened with it stays (contract.md: expires_in)
TOKEN_SECONDS = 300
_ALGORITHM = "HS256"
#: AnyCable accepts the token as a second subprotocol; that one is never chosen
_SUBPROTOCOL_PREFIX = "anycable-token."
_QUERY_PARAMETER = "jid"


class CableTokenInvalid(Exception):
    """Not made by us, or not in our format."""


class CableTokenExpired(CableTokenInvalid):
    """Was good once; the client should get another and return."""


@dataclass(frozen=True, slots=True)
class CableToken:
    """What a token says. `expires_at` is Unix seconds."""

    user_id: int
    session_id: str | None
    expires_at: int


def connection_identifier(user_id: int) -> str:
    """The identifier of a user's connections: the token's `ext`, byte for byte, by which AnyCable
    disconnects."""
    return orjson.dumps({"user_id": user_id}).decode()


def issue_cable_token(
    secret: str, user_id: int, *, session_id: str | None, now: float, seconds: int = TOKEN_SECONDS
) -> str:
    """A token for `user_id`, bound to the session whose end also ends the socket. `now` is Unix seconds."""
    claims: dict[str, Any] = {"ext": connection_identifier(user_id), "exp": int(now) + seconds}
    if session_id is not None:
        claims["sid"] = session_id
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


def verify_cable_token(secret: str, token: str, *, now: float) -> CableToken:
    """Raises CableTokenExpired, CableTokenInvalid."""
    try:
        # `exp` is compared below with the caller's clock
        claims = jwt.decode(token, secret, algorithms=[_ALGORITHM], options={"verify_exp": False})
        identifiers = orjson.loads(claims["ext"])
        user_id, expires_at, session_id = identifiers["user_id"], claims["exp"], claims.get("sid")
    except (jwt.InvalidTokenError, ValueError, KeyError, TypeError) as error:
        raise CableTokenInvalid("the token is not one of ours") from error
    if type(user_id) is not int or type(expires_at) is not int or not isinstance(session_id, str | None):
        raise CableTokenInvalid("the token's claims have the wrong types")
    if now >= expires_at:
        raise CableTokenExpired("the token has expired")
    return CableToken(user_id, session_id, expires_at)


def token_of(environ: Mapping[str, Any]) -> str | None:
    """The token a handshake brings: as subprotocol, else in the query (architecture.md 7); None without
    one."""
    for offered in str(environ.get("HTTP_SEC_WEBSOCKET_PROTOCOL", "")).split(","):
        if offered.strip().startswith(_SUBPROTOCOL_PREFIX):
            return offered.strip().removeprefix(_SUBPROTOCOL_PREFIX)
    return query_of(environ).get(_QUERY_PARAMETER) or None


def query_of(environ: Mapping[str, Any]) -> dict[str, str]:
    """The first value of each query parameter."""
    parsed = parse_qs(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
    return {name: values[0] for name, values in parsed.items()}


def redact_token(environ: dict[str, Any]) -> None:
    """Takes the token out of what the server may log after the conversation: the query and the raw target."""
    query = query_of(environ)
    if _QUERY_PARAMETER in query:
        environ["QUERY_STRING"] = urlencode({**query, _QUERY_PARAMETER: "redacted"})
        environ["RAW_URI"] = environ["REQUEST_URI"] = f"{environ.get('PATH_INFO', '')}?{environ['QUERY_STRING']}"


def sign_stream(secret: str, stream: str) -> str:
    """A stream's name that a client may subscribe to through `$pubsub`. It never expires: put the user into
    the name."""
    encoded = base64.b64encode(orjson.dumps(stream)).decode()
    return f"{encoded}--{_stream_digest(secret, encoded)}"


def verify_signed_stream(secret: str, signed: str) -> str | None:
    """The stream's name; None when we did not sign it."""
    encoded, separator, digest = signed.partition("--")
    if not separator or not hmac.compare_digest(digest.encode(), _stream_digest(secret, encoded).encode()):
        return None
    stream = orjson.loads(base64.b64decode(encoded))
    return stream if isinstance(stream, str) else None


def _stream_digest(secret: str, encoded: str) -> str:
    return hmac.new(secret.encode(), encoded.encode(), hashlib.sha256).hexdigest()
