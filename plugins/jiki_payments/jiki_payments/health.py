"""What operators are told of payments while it runs: whether Stripe's notices are acted on (contract.md 3.9)."""

from __future__ import annotations

from sqlalchemy import func, select, text

from jiki_core.db import reading
from jiki_payments.models.stripe_notice import NoticeState, StripeNotice

#: a notice's job runs within seconds; its first failures are repeated for some minutes
LATE_AFTER_MINUTES = 10


def notices_are_handled() -> str | None:
    """Trouble when a notice waits for longer than its job could need."""
    late = select(func.count()).where(
        StripeNotice.state == NoticeState.NEW,
        StripeNotice.received_at < func.now() - text(f"interval '{LATE_AFTER_MINUTES} minutes'"),
    )
    count = reading().scalar(late)
    if not count:
        return None
    return f"{count} notices of Stripe's wait for more than {LATE_AFTER_MINUTES} minutes; see `flask jobs status`"


def no_notice_is_parked() -> str | None:
    """Trouble when somebody has to look at one: each has told why in an alert."""
    count = reading().scalar(select(func.count()).where(StripeNotice.state == NoticeState.PARKED))
    return f"{count} notices of Stripe's are parked; repair, then `flask payments replay --parked`" if count else None
