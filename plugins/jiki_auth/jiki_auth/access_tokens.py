"""Access tokens: JWTs made and checked by flask-jwt-extended, in the Authorization header only (architecture.md 7)."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import jwt
from flask import Flask
from flask_jwt_extended import JWTManager, create_access_token, decode_token
from flask_jwt_extended.exceptions import JWTExtendedException

from jiki_auth.settings import AuthSettings
from jiki_core.configuration import derived_key
from jiki_core.errors import InvalidToken
from jiki_core.runtime import runtime

ALGORITHM = "HS256"
ISSUER = "jiki"
AUDIENCE = "jiki-api"
TOKEN_TYPE = "at+jwt"
#: name of the signing key in the token's header
KEY_ID = "core-1"


def configure_access_tokens(app: Flask, settings: AuthSettings) -> None:
    """Sets up flask-jwt-extended; keys are derived when first used, because the runtime does not stand yet."""
    app.config.update(
        JWT_TOKEN_LOCATION=["headers"],
        JWT_ALGORITHM=ALGORITHM,
        JWT_DECODE_ALGORITHMS=[ALGORITHM],
        JWT_ENCODE_ISSUER=ISSUER,
        JWT_DECODE_ISSUER=ISSUER,
        JWT_ENCODE_AUDIENCE=AUDIENCE,
        JWT_DECODE_AUDIENCE=AUDIENCE,
        JWT_ACCESS_TOKEN_EXPIRES=timedelta(seconds=settings.access_token_ttl_seconds),
        JWT_ERROR_MESSAGE_KEY="error",
    )
    manager = JWTManager(app)

    @manager.encode_key_loader
    def signing_key(_identity: Any) -> bytes:
        return _key()

    @manager.decode_key_loader
    def verification_key(headers: dict[str, Any], _payload: dict[str, Any]) -> bytes:
        if headers.get("kid") != KEY_ID or headers.get("typ") != TOKEN_TYPE:
            raise jwt.InvalidKeyError("unknown key or type")
        return _key()

    @manager.additional_headers_loader
    def headers(_identity: Any) -> dict[str, str]:
        return {"kid": KEY_ID, "typ": TOKEN_TYPE}


def new_access_token(user_id: int, session_id: uuid.UUID) -> str:
    """A signed token that lives as long as `access_token_ttl_seconds`, or until its session is deleted."""
    return create_access_token(identity=str(user_id), additional_claims={"sid": session_id.hex})


def session_of_access_token(token: str) -> uuid.UUID:
    """The session a token belongs to. Raises InvalidToken for anything but an access token of ours that is still valid."""
    try:
        claims = decode_token(token)
        if claims.get("type") != "access":
            raise InvalidToken()
        return uuid.UUID(hex=claims["sid"])
    except (jwt.PyJWTError, JWTExtendedException, KeyError, ValueError, TypeError, AttributeError):
        raise InvalidToken() from None


def _key() -> bytes:
    return derived_key(runtime().settings, "access-token")
