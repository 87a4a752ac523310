"""After somebody was recognised: notes the visit, and renews the sliding end of the session's cookie."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from flask import Response, g, request

from jiki_auth.commands.api_keys import record_use
from jiki_auth.commands.note_visit import Visit, note_visit
from jiki_auth.cookies import SESSION_COOKIE, renew_session_cookie
from jiki_auth.queries.sessions import session_cache
from jiki_auth.visitors import country_of, language_tags_of
from jiki_core.db import unit_of_work
from jiki_core.http import trusted_header
from jiki_core.security import Identity

#: how exact `last_used_at` is, and how often the cookie is sent again
TOUCH_EVERY = timedelta(hours=1)


def note_activity() -> None:
    """Before the view, so that it sees the languages and the country; most requests write nothing."""
    identity: Identity | None = g.get("jiki_identity")
    if "jiki_auth_used_key" in g:
        with unit_of_work() as uow:
            record_use(uow, g.jiki_auth_used_key)
    if identity is None or identity.session_id is None:
        return
    session_id = uuid.UUID(identity.session_id)
    facts = session_cache().get(session_id)
    if facts is None:
        return
    now = datetime.now(UTC)
    tags = language_tags_of(request.headers.get("Accept-Language")) if facts.lacks_languages else ()
    country = country_of(trusted_header("CF-IPCountry")) if facts.lacks_country else None
    is_first_today = facts.last_active_on is None or facts.last_active_on < now.date()
    is_due = now - facts.last_used_at >= TOUCH_EVERY
    if not (tags or country or is_first_today or is_due):
        return
    with unit_of_work() as uow:
        note_visit(
            uow, Visit(identity.user_id, is_first_today, tags, country, used_session=session_id if is_due else None)
        )
    session_cache().forget(session_id)
    g.jiki_auth_renews_cookie = is_due and identity.method == "session"


def renew_cookie(response: Response) -> Response:
    """Gives the browser its session cookie again for another 30 days, once an hour."""
    cookie = request.cookies.get(SESSION_COOKIE)
    replaced = any(value.startswith(f"{SESSION_COOKIE}=") for value in response.headers.getlist("Set-Cookie"))
    if g.get("jiki_auth_renews_cookie") and cookie and not replaced:
        renew_session_cookie(response, cookie)
    return response
