"""Cookies of the web client: the session, a sign-in waiting for its code, and the presence hint (contract.md 6.1)."""

from __future__ import annotations

import ipaddress
import uuid

from flask import Response, request
from itsdangerous import URLSafeSerializer

from jiki_auth.settings import AuthSettings, auth_settings
from jiki_core.configuration import CoreSettings, derived_key
from jiki_core.runtime import runtime
from jiki_core.security import current_identity

SESSION_COOKIE = "jiki_session"
OTP_COOKIE = "jiki_otp"
TEN_YEARS_SECONDS = 10 * 365 * 24 * 3600


def set_session_cookie(response: Response, session_id: uuid.UUID, secret: str, settings: AuthSettings) -> None:
    """Gives the browser the session: `<id>.<256-bit secret>`, host-only, for 30 days after its last renewal."""
    _set(response, SESSION_COOKIE, f"{session_id.hex}.{secret}", settings.session_ttl_days * 24 * 3600)


def renew_session_cookie(response: Response, value: str) -> None:
    """The same session for another 30 days."""
    _set(response, SESSION_COOKIE, value, auth_settings().session_ttl_days * 24 * 3600)


def set_otp_cookie(response: Response, challenge_id: uuid.UUID, secret: str, ttl_seconds: int) -> None:
    """Remembers a sign-in that waits for its code; it signs nobody in."""
    _set(response, OTP_COOKIE, f"{challenge_id.hex}.{secret}", ttl_seconds)


def clear_otp_cookie(response: Response) -> None:
    response.delete_cookie(OTP_COOKIE, path="/", httponly=True, samesite="Lax")


def parse_cookie(cookie: str) -> tuple[uuid.UUID, str] | None:
    """(id, secret) of a session's or challenge's cookie; None for junk."""
    id_hex, _, secret = cookie.partition(".")
    try:
        return uuid.UUID(hex=id_hex), secret
    except ValueError:
        return None


def clear_session_cookie(response: Response) -> None:
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="Lax")


def presence_cookie_name(settings: CoreSettings) -> str:
    return f"jiki_user_id_{'production' if settings.is_production else 'development'}"


def keep_presence_cookie(response: Response) -> Response:
    """After every request but of files that never change: set for who is signed in, deleted for who carries it and is not."""
    if "immutable" in response.headers.get("Cache-Control", ""):  # a CDN keeps the answer for all, so it is nobody's
        return response
    settings = runtime().settings
    name = presence_cookie_name(settings)
    has_credentials = SESSION_COOKIE in request.cookies or name in request.cookies
    user_id = _signed_in_user(response) if has_credentials or _signs_in(response) else None
    domain = cookie_domain(settings, request.host)
    if user_id is not None:
        response.set_cookie(
            name,
            _signer(settings).dumps(user_id),
            max_age=TEN_YEARS_SECONDS,
            path="/",
            domain=domain,
            httponly=True,
            samesite="Lax",
            secure=settings.is_production,
        )
    elif name in request.cookies:
        response.delete_cookie(name, path="/", domain=domain, httponly=True, samesite="Lax")
    return response


def _signs_in(response: Response) -> bool:
    return any(value.startswith(f"{SESSION_COOKIE}=") for value in response.headers.getlist("Set-Cookie"))


def _signed_in_user(response: Response) -> int | None:
    return None if response.status_code == 401 else _known_user()


def _known_user() -> int | None:
    try:
        identity = current_identity()
    except Exception:  # a bad credential was refused already; the hint must not turn the answer into another error
        return None
    return identity.user_id if identity is not None else None


def cookie_domain(settings: CoreSettings, host: str) -> str | None:
    """The registrable root: the last two labels; None for single labels and addresses."""
    if settings.cookie_domain:
        return settings.cookie_domain
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    labels = name.split(".")
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return ".".join(labels[-2:]) if len(labels) >= 2 else None
    return None


def _set(response: Response, name: str, value: str, max_age_seconds: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=max_age_seconds,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=runtime().settings.is_production,
    )


def _signer(settings: CoreSettings) -> URLSafeSerializer:
    return URLSafeSerializer(derived_key(settings, "presence-cookie").hex())
