"""The time zone by whose clock a learner's days are counted (contract.md 3.16)."""

from __future__ import annotations

import time
from datetime import UTC, tzinfo

from flask import current_app

from jiki_core.contracts import Accounts, ask
from jiki_learning.streaks import time_zone

#: a zone that a learner has just changed counts from then on
STALE_AFTER_SECONDS = 60.0
MAXIMUM_ENTRIES = 20_000


def zone_of(user_id: int) -> tzinfo:
    """Asks `Accounts` at most once a minute for each learner; UTC for an account that is not known."""
    kept: dict[int, tuple[float, tzinfo]] = current_app.extensions.setdefault("jiki_learning.zones", {})
    found = kept.get(user_id)
    if found is not None and time.monotonic() - found[0] < STALE_AFTER_SECONDS:
        return found[1]
    accounts = ask(Accounts).get_many([user_id])
    zone = time_zone(accounts[0].timezone) if accounts else UTC
    if len(kept) >= MAXIMUM_ENTRIES:
        kept.clear()
    kept[user_id] = (time.monotonic(), zone)
    return zone
