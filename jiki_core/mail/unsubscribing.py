"""The one-click button of mail programs (RFC 8058), for mail whose sender has no finer one: it is about an address.

A plugin that keeps its own preferences, such as auth, gives its own headers; then these are not used.
"""

from __future__ import annotations

import binascii

from jiki_core.configuration import derived_key
from jiki_core.runtime import runtime
from jiki_core.security import SealBroken, SealingKeys

UNSUBSCRIBE_PATH = "/api/v1/external/mail_suppressions"
_PURPOSE = "unsubscribe"


def unsubscribe_headers(address: str) -> dict[str, str]:
    """`List-Unsubscribe` and `List-Unsubscribe-Post` for an address, which is not readable in them."""
    token = _keys().seal(address.strip().lower().encode(), bound_to=_PURPOSE)
    url = f"{runtime().settings.public_url.rstrip('/')}{UNSUBSCRIBE_PATH}/{token}"
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def address_of(token: str) -> str | None:
    """None for what we did not make."""
    try:
        return _keys().open(token, bound_to=_PURPOSE).decode()
    except (SealBroken, binascii.Error, ValueError):
        return None


def _keys() -> SealingKeys:
    return SealingKeys((derived_key(runtime().settings, "mail-unsubscribe"),))
