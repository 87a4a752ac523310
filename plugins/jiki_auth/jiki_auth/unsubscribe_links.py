"""Tokens of unsubscribe links: derived from the user's id, so that they never rotate and nothing is stored."""

from __future__ import annotations

import base64
import hashlib
import hmac

from jiki_core.configuration import derived_key
from jiki_core.runtime import runtime

#: preference -> column of `users` (contract.md 3.14)
PREFERENCES = {
    "newsletters": "receive_newsletters",
    "event_emails": "receive_event_emails",
    "milestone_emails": "receive_milestone_emails",
    "activity_emails": "receive_activity_emails",
    "onboarding_emails": "receive_onboarding_emails",
}


def unsubscribe_token(user_id: int) -> str:
    """`<user id>-<MAC>`; opens the e-mail preferences only."""
    key = derived_key(runtime().settings, "unsubscribe")
    mac = hmac.digest(key, str(user_id).encode(), hashlib.sha256)
    return f"{user_id}-{base64.urlsafe_b64encode(mac[:20]).decode().rstrip('=')}"


def user_of_token(token: str) -> int | None:
    """None for what we did not make."""
    digits, _, _ = token.partition("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        return None
    return int(digits) if hmac.compare_digest(token.encode(), unsubscribe_token(int(digits)).encode()) else None


def page_url(user_id: int, preference: str) -> str:
    """The web client's page (contract.md 6.0)."""
    frontend = runtime().settings.frontend_url.rstrip("/")
    return f"{frontend}/unsubscribe?token={unsubscribe_token(user_id)}&key={preference}"


def one_click_headers(user_id: int, preference: str) -> dict[str, str]:
    """RFC 8058: what makes mail programs offer a button."""
    origin = runtime().settings.public_url.rstrip("/")
    url = f"{origin}/api/v1/auth/unsubscribe/{unsubscribe_token(user_id)}?key={preference}"
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
