"""The unit of work: the only code that commits (architecture.md section 4).

A writing view opens it around its command and builds the response after it, so that a failed commit is an ordinary error
response. Everything a command asks for besides its rows (events, jobs, audit entries, notifications, durable broadcasts)
becomes rows of the same transaction; best-effort broadcasts and callbacks run after the commit.
"""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol

import orjson
from sqlalchemy import func, insert
from sqlalchemy.orm import Session

from jiki_core.db.database import writing_bind
from jiki_core.db.identifiers import uuid7
from jiki_core.db.outbox import OutboxEntry, OutboxKind
from jiki_core.db.records import AuditEvent, Notification
from jiki_core.observability.logs import get_logger
from jiki_core.observability.request_ids import current_request_id
from jiki_core.runtime import Runtime, runtime

log = get_logger(__name__)

#: stream on which a user's notifications are pushed
NOTIFICATION_STREAM = "notifications/{user_id}"
#: Valkey channel that wakes the relay; a hint only, the relay polls besides
DOORBELL = "jiki:outbox"

_open: ContextVar[UnitOfWork | None] = ContextVar("jiki_unit_of_work", default=None)


class EventLike(Protocol):
    """A domain event, as far as the outbox is concerned."""

    name: ClassVar[str]
    version: ClassVar[int]
    __dataclass_fields__: ClassVar[dict[str, Any]]


class UnitOfWorkMisuse(RuntimeError):
    """A unit inside a unit, or a network call inside one."""


class UnitOfWork:
    """One transaction and what it asks for. Made by `unit_of_work()` only."""

    def __init__(self, session: Session, at: Runtime) -> None:
        #: the writing session; flushed and committed by the unit
        self.session = session
        #: aware UTC time of the unit, the same for all its rows
        self.now = datetime.now(UTC)
        self._runtime = at
        self._after_commit: list[Callable[[], object]] = []
        self._has_outbox_rows = False

    def emit(self, event: EventLike) -> uuid.UUID:
        """Tells every listener, durably: one outbox row here, one job per listener by the relay. Returns its id."""
        payload = {one.name: getattr(event, one.name) for one in fields(event)}
        return self._put(OutboxKind.EVENT, event.name, payload, version=event.version)

    def enqueue(self, job: Callable[..., Any], /, **arguments: Any) -> uuid.UUID:
        """Asks for a registered job to run after the commit; arguments are JSON values. Returns the outbox id.

        Raises LookupError when no plugin registered the function, TypeError when the arguments do not fit it.
        """
        return self._enqueue(None, job, arguments)

    def enqueue_at(self, run_after: datetime, job: Callable[..., Any], /, **arguments: Any) -> uuid.UUID:
        """Like `enqueue`, not before `run_after`."""
        return self._enqueue(run_after, job, arguments)

    def _enqueue(self, run_after: datetime | None, job: Callable[..., Any], arguments: dict[str, Any]) -> uuid.UUID:
        name = self._runtime.job_names.get(job)
        if name is None:
            raise LookupError(
                f"{job.__module__}.{job.__qualname__} is not a registered job; return it from jiki_jobs as Job({job.__name__})"
            )
        inspect.signature(job).bind(None, **arguments)
        bound = self._runtime.jobs[name]
        return self._put(OutboxKind.JOB, name, arguments, queue=bound.job.queue, run_after=run_after)

    def broadcast(self, stream: str, message: Mapping[str, Any], *, durable: bool = False) -> None:
        """Sends a message to a stream's subscribers after the commit; `durable=True` goes through the outbox."""
        if durable:
            self._put(OutboxKind.BROADCAST, stream, {"message": dict(message)})
        else:
            self.after_commit(lambda: self._runtime.publish(stream, message))

    def disconnect(self, user_id: int, *, session_id: str | None = None) -> None:
        """Ends the sockets of a user, or of one session, everywhere, once what revoked them is committed."""
        self.after_commit(lambda: self._runtime.disconnect(user_id, session_id=session_id))

    def notify(self, user_id: int, type: str, data: Mapping[str, Any]) -> uuid.UUID:
        """Stores a notification of a user and pushes it on NotificationsChannel. `type` is "<plugin>.<kind>"."""
        notification_id = uuid7()
        self.session.execute(
            insert(Notification).values(
                id=notification_id, user_id=user_id, type=type, data=dict(data), created_at=self.now
            )
        )
        self.broadcast(
            NOTIFICATION_STREAM.format(user_id=user_id),
            {"id": str(notification_id), "type": type, "data": dict(data)},
            durable=True,
        )
        return notification_id

    def audit(
        self,
        action: str,
        *,
        actor_id: int | None = None,
        auth_method: str | None = None,
        target_type: str | None = None,
        target_id: object = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        reason: str | None = None,
        outcome: str = "done",
        plugin: str | None = None,
    ) -> None:
        """Writes an audit entry in this transaction. `action` is "subject:verb"."""
        self.session.execute(
            insert(AuditEvent).values(
                at=self.now,
                action=action,
                actor_id=actor_id,
                auth_method=auth_method,
                target_type=target_type,
                target_id=None if target_id is None else str(target_id),
                before=None if before is None else dict(before),
                after=None if after is None else dict(after),
                reason=reason,
                outcome=outcome,
                plugin=plugin,
                request_id=current_request_id(),
            )
        )

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Runs once the transaction is durable; best effort: a failure is logged, never raised."""
        self._after_commit.append(callback)

    def _put(
        self,
        kind: OutboxKind,
        name: str,
        payload: Mapping[str, Any],
        *,
        version: int = 1,
        queue: str = "default",
        run_after: datetime | None = None,
    ) -> uuid.UUID:
        orjson.dumps(payload)  # refused here, where the caller stands, rather than at the flush
        entry_id = uuid7()
        self.session.execute(
            insert(OutboxEntry).values(
                id=entry_id,
                kind=kind,
                name=name,
                version=version,
                payload=dict(payload),
                queue=queue,
                run_after=run_after or func.now(),  # the database's clock, on which the relay works
                request_id=current_request_id(),
            )
        )
        self._has_outbox_rows = True
        return entry_id

    def _committed(self) -> None:
        callbacks = list(self._after_commit)
        if self._has_outbox_rows:
            callbacks.append(lambda: ring_doorbell(self._runtime))
        for callback in callbacks:
            try:
                callback()
            except Exception:
                log.exception("after_commit_failed")


def ring_doorbell(at: Runtime) -> None:
    """Wakes the relay. Valkey away is no loss: the relay polls."""
    try:
        at.redis.publish(DOORBELL, b"1")
    except Exception as error:
        log.info("doorbell_not_heard", error=type(error).__name__)


def current_unit() -> UnitOfWork | None:
    """The open unit of this thread or greenlet, if any."""
    return _open.get()


def refuse_inside_unit(what: str) -> None:
    """Raises UnitOfWorkMisuse when a unit is open: no connection is held across a network call."""
    if _open.get() is not None:
        raise UnitOfWorkMisuse(f"{what} inside a unit of work: close the unit first, call, then settle in a new one")


@contextmanager
def unit_of_work() -> Iterator[UnitOfWork]:
    """Opens the one transaction of a request, job or message; commits on a clean exit, rolls all back on an exception.

    Raises UnitOfWorkMisuse when one is open already.
    """
    if _open.get() is not None:
        raise UnitOfWorkMisuse("a unit of work is open already: pass `uow` on instead of opening another")
    session = Session(
        bind=writing_bind(), autoflush=True, expire_on_commit=False, join_transaction_mode="create_savepoint"
    )
    unit = UnitOfWork(session, runtime())
    token = _open.set(unit)
    try:
        yield unit
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        _open.reset(token)
        session.close()
    unit._committed()


def record_refusal(action: str, **facts: Any) -> None:
    """Audits a denial in a short transaction of its own, because the unit that was refused rolls back."""
    with unit_of_work() as uow:
        uow.audit(action, outcome="refused", **facts)
