"""What the core keeps of a person besides rows with their id: messages, audit entries, suppressed addresses.

Messages that are still on their way when somebody is erased name them until they have arrived; a job looks again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Text, delete, func, or_, select, update
from sqlalchemy import cast as as_type
from sqlalchemy.orm import Session

from jiki_core.cable.keys import Keys
from jiki_core.configuration import derived_key
from jiki_core.db import UnitOfWork
from jiki_core.db.outbox import OutboxEntry, OutboxState
from jiki_core.db.records import AuditEvent
from jiki_core.db.unit_of_work import NOTIFICATION_STREAM
from jiki_core.jobs import Job
from jiki_core.jobs.tracking import TrackingEvent
from jiki_core.mail.sending import MailDedupeKey
from jiki_core.mail.suppression import MailSuppression
from jiki_core.runtime import runtime
from jiki_core.security import SealingKeys

#: after an erasure, messages are looked at again so often, at such distances
LOOK_AGAIN_AFTER = timedelta(hours=1)
LOOKS = 7 * 24
_OVER = (OutboxState.DONE, OutboxState.DEAD, OutboxState.CANCELLED)


def export_traces(session: Session, user_id: int, addresses: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Table -> what the person gets of it; messages without their contents, which may hold other people's data."""
    queries = {
        "outbox": select(
            OutboxEntry.kind, OutboxEntry.name, OutboxEntry.state, OutboxEntry.created_at, OutboxEntry.finished_at
        ).where(_names(user_id, addresses)),
        "audit_events": select(AuditEvent.at, AuditEvent.action, AuditEvent.auth_method, AuditEvent.outcome).where(
            AuditEvent.actor_id == user_id
        ),
        "mail_suppressions": select(
            MailSuppression.address, MailSuppression.cause, MailSuppression.detail, MailSuppression.created_at
        ).where(MailSuppression.address.in_(_small(addresses))),
    }
    return {table: [dict(row) for row in session.execute(query).mappings()] for table, query in queries.items()}


def erase_traces(uow: UnitOfWork, user_id: int, addresses: Sequence[str]) -> int:
    """Removes them and asks for a later look at what is on its way; returns how many rows are gone.

    Audit entries stay, because who did what must be provable, without the values that they hold.
    """
    theirs = or_(
        AuditEvent.actor_id == user_id,
        (AuditEvent.target_type == "user") & (AuditEvent.target_id == str(user_id)),
        *_contain(as_type(AuditEvent.before, Text), addresses),
        *_contain(as_type(AuditEvent.after, Text), addresses),
    )
    uow.session.execute(update(AuditEvent).where(theirs).values(before=None, after=None))
    uow.session.execute(
        update(AuditEvent)
        .where(AuditEvent.target_type == "address", func.lower(AuditEvent.target_id).in_(_small(addresses)))
        .values(target_id=None)
    )
    for address in addresses:
        uow.session.execute(
            update(AuditEvent)
            .where(AuditEvent.reason.icontains(address, autoescape=True))
            .values(reason="removed: it named a person who was erased")
        )
    tracked = delete(TrackingEvent).where(or_(False, *_contain(as_type(TrackingEvent.properties, Text), addresses)))
    suppressed = delete(MailSuppression).where(MailSuppression.address.in_(_small(addresses)))
    gone = len(uow.session.execute(tracked.returning(TrackingEvent.id)).all())
    gone += len(uow.session.execute(suppressed.returning(MailSuppression.cause)).all())
    gone += _forget_messages(uow, user_id, addresses)
    uow.after_commit(lambda: _forget_stream(NOTIFICATION_STREAM.format(user_id=user_id)))
    _look_again(uow, user_id, _keys().seal("\n".join(addresses).encode(), bound_to=f"forget:{user_id}"), LOOKS)
    return gone


def forget_person(uow: UnitOfWork, user_id: int, sealed_addresses: str, looks_left: int) -> int:
    """Job: removes messages that named an erased person and have arrived by now; comes again while some are on their way."""
    told = _keys().open(sealed_addresses, bound_to=f"forget:{user_id}").decode()
    addresses = told.split("\n") if told else []
    gone = _forget_messages(uow, user_id, addresses)
    under_way = uow.session.execute(select(OutboxEntry.id).where(_names(user_id, addresses)).limit(1)).first()
    if under_way is not None and looks_left > 1:
        _look_again(uow, user_id, sealed_addresses, looks_left - 1)
    return gone


def _look_again(uow: UnitOfWork, user_id: int, sealed_addresses: str, looks_left: int) -> None:
    uow.enqueue_at(
        uow.now + LOOK_AGAIN_AFTER,
        forget_person,
        user_id=user_id,
        sealed_addresses=sealed_addresses,
        looks_left=looks_left,
    )


def _forget_messages(uow: UnitOfWork, user_id: int, addresses: Sequence[str]) -> int:
    gone = uow.session.scalars(
        delete(OutboxEntry).where(_names(user_id, addresses), OutboxEntry.state.in_(_OVER)).returning(OutboxEntry.id)
    ).all()
    uow.session.execute(delete(MailDedupeKey).where(MailDedupeKey.outbox_id.in_(gone)))
    return len(gone)


def _forget_stream(stream: str) -> None:
    """What sockets that come back would be told again; other streams forget by themselves within five minutes."""
    client = runtime().redis
    keys = Keys.of(client)
    client.delete(keys.log(stream), keys.position(stream))


def _names(user_id: int, addresses: Sequence[str]) -> ColumnElement[bool]:
    """Rows of the outbox that are the person's, or about them; the job that forgets them excepted."""
    payload = OutboxEntry.payload
    about = or_(
        OutboxEntry.owner_id == user_id,
        OutboxEntry.name == NOTIFICATION_STREAM.format(user_id=user_id),
        payload["user_id"].astext == str(user_id),
        payload["payload"]["user_id"].astext == str(user_id),  # an event on its way to a listener
        *_contain(as_type(payload, Text), addresses),
    )
    return about & (OutboxEntry.name != runtime().job_names[forget_person])


def _contain(column: ColumnElement[str], addresses: Sequence[str]) -> list[ColumnElement[bool]]:
    return [column.icontains(address, autoescape=True) for address in addresses]


def _small(addresses: Sequence[str]) -> list[str]:
    return [address.strip().lower() for address in addresses]


def _keys() -> SealingKeys:
    """The job that forgets addresses must not keep them readable meanwhile."""
    return SealingKeys((derived_key(runtime().settings, "forget-person"),))


FORGET_PERSON = Job(forget_person, queue="heavy", priority="low")
