"""When somebody is told that a payment failed: at once, and again while the grace period runs. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

#: days after the failure; the grace period is seven (stripe_states.GRACE_PERIOD)
REMINDER_DAYS = (0, 3, 6)


def mails_due(failed_at: datetime, now: datetime) -> int:
    """How many mails somebody whose payment failed then should have had by now."""
    return sum(1 for days in REMINDER_DAYS if now >= failed_at + timedelta(days=days))


def is_due(failed_at: datetime, mails_sent: int, now: datetime) -> bool:
    """Whether one more mail is due. Several missed ones are made up for by one."""
    return mails_sent < mails_due(failed_at, now)
