"""Google's side of a sign-in: exchanges a code for an id token and verifies that token (OpenID Connect Core 3.1.3)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import jwt
from flask import current_app

from jiki_auth.addresses import is_email, normalise_email
from jiki_auth.metrics import count_attempt
from jiki_auth.outbound import OutsideRefused, OutsideUnavailable, fetch, post_form
from jiki_auth.settings import AuthSettings
from jiki_core.errors import InvalidToken
from jiki_core.observability import get_logger

log = get_logger(__name__)
ALGORITHMS = ("RS256", "ES256")
MAXIMUM_CODE_LENGTH = 2_048
MAXIMUM_PICTURE_URL_LENGTH = 1_000


@dataclass(frozen=True)
class GoogleAccount:
    """Who Google says it is; the address is one that Google verified."""

    id: str
    email: str
    name: str | None
    picture_url: str | None = None


def exchange_code(code: str, settings: AuthSettings) -> GoogleAccount:
    """Calls out twice at most, hence no unit of work may be open. Raises InvalidToken whatever goes wrong."""
    if not settings.google_client_id or not code or len(code) > MAXIMUM_CODE_LENGTH:
        raise InvalidToken()
    try:
        answer = post_form(
            settings.google_token_url,
            {
                "code": code,
                "client_id": settings.google_client_id,
                "client_secret": settings.google_client_secret.reveal(),
                "redirect_uri": settings.google_redirect_uri,
                "grant_type": "authorization_code",
            },
        )
        claims = _verified_claims(str(answer.get("id_token") or ""), settings)
    except (OutsideUnavailable, OutsideRefused, jwt.PyJWTError, ValueError) as error:
        log.info("google_sign_in_refused", error=type(error).__name__)
        count_attempt("google", "refused")
        raise InvalidToken() from None
    account = _account(claims)
    count_attempt("google", "accepted" if account else "refused")
    if account is None:
        raise InvalidToken()
    return account


def _verified_claims(token: str, settings: AuthSettings) -> dict[str, Any]:
    header = jwt.get_unverified_header(token)
    key = _signing_key(header.get("kid"), settings)
    claims: dict[str, Any] = jwt.decode(
        token,
        key=key,
        algorithms=list(ALGORITHMS),
        audience=settings.google_client_id,
        issuer=[settings.google_issuer, settings.google_issuer.removeprefix("https://")],  # Google uses both
        options={"require": ["exp", "iat", "sub", "aud", "iss"]},
        leeway=30,
    )
    return claims


def _signing_key(key_id: object, settings: AuthSettings) -> Any:
    """From the kept set; an unknown id fetches it again, because Google rotates."""
    kept: dict[str, Any] = current_app.extensions.setdefault("jiki_auth.google_keys", {})
    if key_id not in kept:
        kept.clear()
        published = jwt.PyJWKSet.from_dict(json.loads(fetch(settings.google_jwks_url)))
        kept.update({key.key_id: key.key for key in published.keys if key.key_id})
    if not isinstance(key_id, str) or key_id not in kept:
        raise jwt.InvalidKeyError("unknown key")
    return kept[key_id]


def _account(claims: dict[str, Any]) -> GoogleAccount | None:
    """None without an id, an address, or Google's word that the address is theirs (contract.md section 1)."""
    email = normalise_email(str(claims.get("email") or ""))
    subject, name = claims.get("sub"), claims.get("name")
    if claims.get("email_verified") is not True or not isinstance(subject, str) or not subject or not is_email(email):
        return None
    picture = claims.get("picture")
    return GoogleAccount(
        subject,
        email,
        name[:100] if isinstance(name, str) and name.strip() else None,
        picture if isinstance(picture, str) and 0 < len(picture) <= MAXIMUM_PICTURE_URL_LENGTH else None,
    )
