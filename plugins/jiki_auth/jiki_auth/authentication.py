"""`jiki_authenticate`: an API key, a bearer token or the session cookie becomes an identity, or nobody."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from flask import Request, g

from jiki_auth.access_tokens import session_of_access_token
from jiki_auth.api_key_format import PREFIX, parse
from jiki_auth.commands.api_keys import USE_RECORDED_EVERY
from jiki_auth.cookies import SESSION_COOKIE, parse_cookie
from jiki_auth.errors import KeyExpired
from jiki_auth.models import SessionKind
from jiki_auth.permissions import LEARNER, NEVER_BY_KEY
from jiki_auth.queries.api_keys import api_key_facts
from jiki_auth.queries.sessions import SessionFacts, session_cache
from jiki_auth.secrets_at_rest import matches
from jiki_auth.settings import auth_settings
from jiki_core.errors import InvalidToken
from jiki_core.runtime import runtime
from jiki_core.security import Identity
from jiki_core.security.permissions import permissions_of


def authenticate(request: Request) -> Identity | None:
    """Raises InvalidToken or KeyExpired for a token or key that is offered but bad; a bad cookie is nobody."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _by_api_key(token.strip()) if token.strip().startswith(PREFIX) else _by_access_token(token.strip())
    cookie = request.cookies.get(SESSION_COOKIE)
    parsed = parse_cookie(cookie) if cookie else None
    facts = live_session(parsed[0]) if parsed else None
    if parsed is None or facts is None or facts.kind != SessionKind.COOKIE or not matches(parsed[1], facts.secret_hash):
        return None
    return identity_of(facts, "session")


def live_session(session_id: uuid.UUID) -> SessionFacts | None:
    """The session, unless it is gone, unused for too long, or past its absolute end."""
    facts = session_cache().get(session_id)
    if facts is None:
        return None
    now = datetime.now(UTC)
    if now >= facts.expires_at or now - facts.last_used_at >= timedelta(days=auth_settings().session_ttl_days):
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


def _by_access_token(token: str) -> Identity:
    facts = live_session(session_of_access_token(token))
    if facts is None or facts.kind != SessionKind.TOKEN:
        raise InvalidToken()
    return identity_of(facts, "bearer")


def _by_api_key(text: str) -> Identity:
    parts = parse(text, runtime().settings.env)  # a mistyped or invented key costs no query
    facts = api_key_facts(parts.id) if parts else None
    if parts is None or facts is None:
        raise InvalidToken()
    now = datetime.now(UTC)
    is_previous = facts.previous_hash is not None and facts.previous_until is not None and now < facts.previous_until
    if not (
        matches(parts.secret, facts.secret_hash)
        or (is_previous and facts.previous_hash is not None and matches(parts.secret, facts.previous_hash))
    ):
        raise InvalidToken()
    if facts.expires_at is not None and now >= facts.expires_at:
        raise KeyExpired()
    if facts.last_used_at is None or now - facts.last_used_at >= USE_RECORDED_EVERY:
        g.jiki_auth_used_key = parts.id  # noted once the guard is passed: no unit may be opened here
    roles = facts.roles | {LEARNER}
    granted = permissions_of(roles, dict(runtime().permissions))
    return Identity(
        user_id=facts.user_id,
        method="api_key",
        roles=roles,
        permissions=granted & facts.scopes - NEVER_BY_KEY,
        expires_at=facts.expires_at,
    )
