"""Puts a notice of Stripe's into the inbox, once; a job handles it (contract.md 2.7, 3.12)."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import UnitOfWork
from jiki_payments.alerts import Alert, alert
from jiki_payments.jobs import handle_stripe_notice
from jiki_payments.models import NoticeState, StripeNotice
from jiki_payments.notices import Notice, Subject

_STATES = {Subject.NOTHING: NoticeState.IGNORED, Subject.UNKNOWN: NoticeState.UNKNOWN}


def receive_notice(uow: UnitOfWork, notice: Notice) -> bool:
    """Whether it was new here."""
    state = _STATES.get(notice.subject, NoticeState.NEW)
    inserted = uow.session.execute(
        insert(StripeNotice)
        .values(
            event_id=notice.event_id,
            type=notice.type,
            object_type=notice.object_type,
            object_id=notice.object_id,
            happened_at=notice.happened_at,
            received_at=uow.now,
            state=state,
        )
        .on_conflict_do_nothing()
        .returning(StripeNotice.event_id)
    ).scalar_one_or_none()
    if inserted is None:
        return False
    if state is NoticeState.NEW:
        uow.enqueue(handle_stripe_notice, event_id=notice.event_id)
    elif state is NoticeState.UNKNOWN:
        alert(Alert.UNKNOWN_NOTICE, type=notice.type, event_id=notice.event_id)
    return True
