"""Access tokens: JWTs made and checked by flask-jwt-extended, in the Authorization header only (architecture.md 7)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import Any

import jwt
from flask import Flask, current_app
from flask_jwt_extended import JWTManager, create_access_token, decode_token
from flask_jwt_extended.exceptions import JWTExtendedException

from jiki_auth.keyring import keyring
from jiki_auth.settings import AuthSettings
from jiki_core.errors import BadRequest, InvalidToken
from jiki_core.http import strict_json

ALGORITHMS = ("HS256", "EdDSA")
ISSUER = "jiki"
AUDIENCE = "jiki-api"
TOKEN_TYPE = "at+jwt"
#: ours have some 400 characters
MAXIMUM_LENGTH = 2_048
MAXIMUM_VERIFIED = 10_000
_HEADERS = frozenset({"alg", "kid", "typ"})


def configure_access_tokens(app: Flask, settings: AuthSettings) -> None:
    """Sets up flask-jwt-extended; keys are read when first used, because the runtime does not stand yet."""
    app.config.update(
        JWT_TOKEN_LOCATION=["headers"],
        JWT_ALGORITHM=settings.access_token_algorithm,
        JWT_DECODE_ALGORITHMS=list(ALGORITHMS),
        JWT_ENCODE_ISSUER=ISSUER,
        JWT_DECODE_ISSUER=ISSUER,
        JWT_ENCODE_AUDIENCE=AUDIENCE,
        JWT_DECODE_AUDIENCE=AUDIENCE,
        JWT_ACCESS_TOKEN_EXPIRES=timedelta(seconds=settings.access_token_ttl_seconds),
        JWT_ERROR_MESSAGE_KEY="error",
    )
    manager = JWTManager(app)

    @manager.encode_key_loader
    def signing_key(_identity: Any) -> Any:
        return keyring().current().signing

    @manager.decode_key_loader
    def verification_key(headers: dict[str, Any], _payload: dict[str, Any]) -> Any:
        if not _HEADERS.issuperset(headers) or headers.get("typ") != TOKEN_TYPE:
            raise jwt.InvalidKeyError("a header of ours has alg, kid and typ")
        key = keyring().find(headers.get("kid"), headers.get("alg"))
        if key is None:
            raise jwt.InvalidKeyError("unknown key")
        return key.verification

    @manager.additional_headers_loader
    def headers(_identity: Any) -> dict[str, str]:
        return {"kid": keyring().current().id, "typ": TOKEN_TYPE}


def new_access_token(user_id: int, session_id: uuid.UUID) -> str:
    """A signed token that lives as long as `access_token_ttl_seconds`, or until its session is deleted."""
    token: str = create_access_token(identity=str(user_id), additional_claims={"sid": session_id.hex})
    return token


def session_of_access_token(token: str) -> uuid.UUID:
    """The session a token belongs to. Raises InvalidToken for anything but an access token of ours that is still valid.

    A token that was verified is not verified again until it ends; whether its session lives is asked elsewhere.
    """
    verified = _verified_tokens()
    digest = hashlib.sha256(token.encode()).digest()
    known = verified.get(digest)
    if known is None:
        known = _verified(token)
        verified.keep(digest, known)
    return known.session_id


@dataclass(frozen=True, slots=True)
class _Verified:
    session_id: uuid.UUID
    #: Unix seconds
    expires_at: float


class VerifiedTokens:
    """Digests of tokens whose signature and claims were right, until they end."""

    def __init__(self) -> None:
        self._entries: OrderedDict[bytes, _Verified] = OrderedDict()
        self._lock = Lock()

    def get(self, digest: bytes) -> _Verified | None:
        with self._lock:
            found = self._entries.get(digest)
        return found if found is not None and time.time() < found.expires_at else None

    def keep(self, digest: bytes, token: _Verified) -> None:
        with self._lock:
            self._entries[digest] = token
            while len(self._entries) > MAXIMUM_VERIFIED:
                self._entries.popitem(last=False)


def _verified_tokens() -> VerifiedTokens:
    found: VerifiedTokens = current_app.extensions.setdefault("jiki_auth.verified_tokens", VerifiedTokens())
    return found


def _verified(token: str) -> _Verified:
    if len(token) > MAXIMUM_LENGTH or not token.isascii():
        raise InvalidToken()
    try:
        claims = decode_token(token)
        if claims.get("type") != "access" or "sub" not in claims:
            raise InvalidToken()
        _refuse_duplicates(token)
        return _Verified(uuid.UUID(hex=claims["sid"]), float(claims["exp"]))
    except (jwt.PyJWTError, JWTExtendedException, BadRequest, binascii.Error, LookupError):
        raise InvalidToken() from None
    except (ValueError, TypeError, AttributeError):  # claims of the wrong type
        raise InvalidToken() from None


def _refuse_duplicates(token: str) -> None:
    """A claim given twice means different things to different readers (RFC 8725bis)."""
    for segment in token.split(".")[:2]:
        strict_json(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
