"""`jiki_authenticate`: a bearer token or the session cookie becomes an identity, or nobody."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import cast

from flask import Flask, Request, current_app

from jiki_auth.access_tokens import session_of_access_token
from jiki_auth.cookies import SESSION_COOKIE
from jiki_auth.models import SessionKind
from jiki_auth.permissions import LEARNER
from jiki_auth.queries.sessions import SessionCache, SessionFacts
from jiki_auth.secrets_at_rest import matches
from jiki_auth.settings import AuthSettings
from jiki_core.errors import InvalidToken
from jiki_core.runtime import runtime
from jiki_core.security import Identity
from jiki_core.security.permissions import permissions_of


def authenticate(request: Request) -> Identity | None:
    """Raises InvalidToken for a bearer token that is offered but bad; a bad cookie is nobody."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        facts = live_session(session_of_access_token(token.strip()))
        if facts is None or facts.kind != SessionKind.TOKEN:
            raise InvalidToken()
        return identity_of(facts, "bearer")
    cookie = request.cookies.get(SESSION_COOKIE)
    if not cookie:
        return None
    parsed = parse_cookie(cookie)
    facts = live_session(parsed[0]) if parsed else None
    if parsed is None or facts is None or facts.kind != SessionKind.COOKIE or not matches(parsed[1], facts.secret_hash):
        return None
    return identity_of(facts, "session")


def parse_cookie(cookie: str) -> tuple[uuid.UUID, str] | None:
    """(session id, secret) of a cookie's value; None for junk."""
    session_hex, _, secret = cookie.partition(".")
    try:
        return uuid.UUID(hex=session_hex), secret
    except ValueError:
        return None


def live_session(session_id: uuid.UUID) -> SessionFacts | None:
    """The session, unless it is gone, unused for too long, or past its absolute end."""
    facts = session_cache().get(session_id)
    if facts is None:
        return None
    settings = cast(AuthSettings, runtime().plugin_settings["auth"])
    now = datetime.now(UTC)
    if now >= facts.expires_at or now - facts.last_used_at >= timedelta(days=settings.session_ttl_days):
        return None
    return facts


def identity_of(facts: SessionFacts, method: str) -> Identity:
    """The identity a session stands for: its user's roles and what they permit."""
    roles = facts.roles | {LEARNER}
    return Identity(
        user_id=facts.user_id,
        method="bearer" if method == "bearer" else "session",
        session_id=str(facts.id),
        roles=roles,
        permissions=permissions_of(roles, dict(runtime().permissions)),
        expires_at=facts.expires_at,
    )


def session_cache(app: Flask | None = None) -> SessionCache:
    """One cache per app."""
    extensions = (app or current_app).extensions
    cache: SessionCache = extensions.setdefault("jiki_auth.session_cache", SessionCache())
    return cache
