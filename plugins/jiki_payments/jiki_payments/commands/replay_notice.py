"""Has a notice handled once more, whatever became of it."""

from __future__ import annotations

from jiki_core.db import UnitOfWork
from jiki_payments.errors import StripeNoticeNotFound
from jiki_payments.jobs import handle_stripe_notice
from jiki_payments.models import NoticeState, StripeNotice


def replay_notice(uow: UnitOfWork, event_id: str, *, actor_id: int | None = None) -> StripeNotice:
    """Harmless: the job asks Stripe how things are by now. Raises StripeNoticeNotFound."""
    notice = uow.session.get(StripeNotice, event_id, with_for_update=True)
    if notice is None:
        raise StripeNoticeNotFound()
    notice.state, notice.reason, notice.handled_at = NoticeState.NEW, None, None
    uow.audit(
        "stripe_notice:replayed",
        actor_id=actor_id,
        target_type="stripe_notice",
        target_id=event_id,
        plugin="payments",
    )
    uow.enqueue(handle_stripe_notice, event_id=event_id)
    return notice
