"""The unit of work: the only code that commits (architecture.md section 4).

A writing view opens it around its command and builds the response after it, so that a failed commit is an ordinary error
response. Everything a command asks for besides its rows (events, jobs, audit entries, notifications, durable broadcasts)
becomes rows of the same transaction; best-effort broadcasts and callbacks run after the commit.
"""

from __future__ import annotations

import hashlib
import inspect
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

import orjson
from flask import has_app_context
from sqlalchemy import Text, exists, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from jiki_core.db.commits import CONFLICT_ATTEMPTS, commit, is_conflict, pause_before_retry
from jiki_core.db.database import release_reader, writing_bind
from jiki_core.db.identifiers import uuid7
from jiki_core.db.outbox import IN_FLIGHT, OUTBOX, PRIORITY_RANKS, JobOptions, OutboxEntry, OutboxKind, OutboxState
from jiki_core.db.records import AuditEvent, MutedNotification, Notification
from jiki_core.observability.logs import get_logger
from jiki_core.observability.request_ids import current_request_id
from jiki_core.runtime import Runtime, runtime

if TYPE_CHECKING:
    from jiki_core.jobs.job import BoundJob

log = get_logger(__name__)
T = TypeVar("T")

#: stream on which a user's notifications are pushed
NOTIFICATION_STREAM = "notifications/{user_id}"
#: Valkey channel that wakes the relay; a hint only, the relay polls besides
DOORBELL = "jiki:outbox"

#: jobs of one unit that go to their queue right after the commit; the rest waits for the relay
IMMEDIATE_JOBS = 20

_open: ContextVar[UnitOfWork | None] = ContextVar("jiki_unit_of_work", default=None)
_scope: ContextVar[UnitScope | None] = ContextVar("jiki_unit_scope", default=None)


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
        #: an outbox row of this transaction, by which a lost commit can be recognised
        self.witness: uuid.UUID | None = None
        #: PostgreSQL's number of this transaction, when a statement of ours told it anyway
        self.xid: str | None = None
        self._runtime = at
        self._after_commit: list[Callable[[], object]] = []
        self._has_rows_for_relay = False
        self._immediate: list[tuple[BoundJob, uuid.UUID, int]] = []

    def emit(self, event: EventLike) -> uuid.UUID:
        """Tells every listener, durably: one outbox row here, one job per listener by the relay. Returns its id."""
        payload = {one.name: getattr(event, one.name) for one in fields(event)}
        ordered_by: str | None = getattr(event, "ordered_by", None)
        order_key = None if ordered_by is None else f"{event.name}:{payload[ordered_by]}"
        listeners = [one.job_name for one in self._runtime.listeners.get(event.name, ())]
        entry_id = self._put(
            OutboxKind.EVENT, event.name, payload, version=event.version, order_key=order_key, listeners=listeners
        )
        assert entry_id is not None, "only rows with a unique key can be refused"
        return entry_id

    def enqueue(self, job: Callable[..., Any], /, **arguments: Any) -> uuid.UUID:
        """Asks for a registered job to run after the commit; arguments are JSON values. Returns the outbox id.

        Raises LookupError when no plugin registered the function, TypeError when the arguments do not fit it.
        """
        return self.enqueue_with(JobOptions(), job, **arguments)

    def enqueue_at(self, run_after: datetime, job: Callable[..., Any], /, **arguments: Any) -> uuid.UUID:
        """Like `enqueue`, not before `run_after`."""
        return self.enqueue_with(JobOptions(run_after=run_after), job, **arguments)

    def enqueue_with(self, options: JobOptions, job: Callable[..., Any], /, **arguments: Any) -> uuid.UUID:
        """Like `enqueue`, with options. A job that is unique while in flight returns the id of the one in flight."""
        name = self._runtime.job_names.get(job)
        if name is None:
            raise LookupError(
                f"{job.__module__}.{job.__qualname__} is not a registered job; return it from jiki_jobs as Job({job.__name__})"
            )
        inspect.signature(job).bind(None, **arguments)
        return self.enqueue_named(name, arguments, options)

    def enqueue_named(self, name: str, arguments: Mapping[str, Any], options: JobOptions) -> uuid.UUID:
        """`enqueue_with` for the core, which knows a job by its stored name. Raises KeyError for an unknown name."""
        bound = self._runtime.jobs[name]
        if bound.job.unique and options.unique_key is None:
            options = replace(options, unique_key=_key_of(name, arguments))
        rank = PRIORITY_RANKS[options.priority or bound.job.priority]
        can_go_at_once = (
            options.run_after is None
            and options.order_key is None
            and len(self._immediate) < IMMEDIATE_JOBS
            and bound.takes_jobs_at_once()
        )
        row: dict[str, Any] = {
            "queue": bound.job.queue,
            "run_after": options.run_after or func.now(),  # the database's clock, on which the relay works
            "order_key": options.order_key,
            "unique_key": options.unique_key,
            "priority": rank,
            "owner_id": options.owner_id,
        }
        if can_go_at_once:
            # Written as handed over already: a crash before the queue has it is what the reconciler looks for.
            row |= {"state": OutboxState.HANDED, "attempt": 1, "handed_at": func.clock_timestamp()}
        entry_id = self._put(OutboxKind.JOB, name, arguments, **row)
        if entry_id is None:
            return self._in_flight(options.unique_key or "", name, arguments, options)
        if can_go_at_once:
            self._immediate.append((bound, entry_id, rank))
        return entry_id

    def _in_flight(self, unique_key: str, name: str, arguments: Mapping[str, Any], options: JobOptions) -> uuid.UUID:
        """The job that kept ours from being written; when it ended just now, ours is asked for again."""
        found: uuid.UUID | None = self.session.execute(
            select(OutboxEntry.id).where(OutboxEntry.unique_key == unique_key, OutboxEntry.state.in_(IN_FLIGHT))
        ).scalar_one_or_none()
        return found or self.enqueue_named(name, arguments, options)

    def broadcast(
        self, stream: str, message: Mapping[str, Any], *, durable: bool = False, at_once: bool = False
    ) -> None:
        """Sends a message to a stream's subscribers after the commit; `durable=True` goes through the outbox.

        A durable message that is sent `at_once` does not wait for the relay, which sends it again under the same id: the
        stream drops the repeat. It is for messages whose delay people see, and whose order among others does not matter.
        """
        if not durable:
            self.after_commit(lambda: self._runtime.publish(stream, message))
            return
        entry_id = self._put(OutboxKind.BROADCAST, stream, {"message": dict(message)})
        if at_once:
            self.after_commit(lambda: self._runtime.publish(stream, message, durable_id=str(entry_id)))

    def disconnect(self, user_id: int, *, session_id: str | None = None) -> None:
        """Ends the sockets of a user, or of one session, everywhere, once what revoked them is committed."""
        self.after_commit(lambda: self._runtime.disconnect(user_id, session_id=session_id))

    def notify(self, user_id: int, type: str, data: Mapping[str, Any]) -> uuid.UUID | None:
        """Stores a notification of a user and pushes it on NotificationsChannel. `type` is "<plugin>.<kind>".

        Returns its id; None when the user does not want notifications of that kind.
        """
        notification_id = uuid7()
        values = {"id": notification_id, "user_id": user_id, "type": type, "data": dict(data), "created_at": self.now}
        columns = Notification.__table__.columns
        is_muted = exists().where(MutedNotification.user_id == user_id, MutedNotification.type == type)
        wanted = select(*(literal(value, columns[name].type) for name, value in values.items())).where(~is_muted)
        inserting = insert(Notification).from_select(list(values), wanted).returning(Notification.id)
        if self.session.execute(inserting).scalar_one_or_none() is None:
            return None
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

    def wake_relay(self) -> None:
        """Rings the relay's doorbell after the commit, for code that writes outbox rows itself."""
        self._has_rows_for_relay = True

    def _put(self, kind: OutboxKind, name: str, payload: Mapping[str, Any], **columns: Any) -> uuid.UUID | None:
        """The new row's id; None when a row in flight has its unique key."""
        orjson.dumps(payload)  # refused here, where the caller stands, rather than at the flush
        entry_id = uuid7()
        inserting = insert(OUTBOX).values(
            id=entry_id, kind=kind, name=name, payload=dict(payload), request_id=current_request_id(), **columns
        )
        if columns.get("unique_key") is not None:
            inserting = inserting.on_conflict_do_nothing()
        numbered = inserting.returning(func.pg_current_xact_id().cast(Text))
        xid = self.session.execute(numbered).scalar_one_or_none()
        if xid is None:
            return None
        self.xid = xid
        if not self.session.in_nested_transaction():  # a savepoint may be rolled back, and the row with it
            self.witness = self.witness or entry_id
        self._has_rows_for_relay = self._has_rows_for_relay or "attempt" not in columns
        return entry_id

    def _committed(self) -> None:
        callbacks = list(self._after_commit)
        by_queue: dict[str, list[tuple[BoundJob, uuid.UUID, int]]] = {}
        for one in self._immediate:
            by_queue.setdefault(one[0].job.queue, []).append(one)
        callbacks += [partial(waiting[0][0].hand_over, waiting) for waiting in by_queue.values()]
        if self._has_rows_for_relay:
            callbacks.append(lambda: ring_doorbell(self._runtime))
        for callback in callbacks:
            try:
                callback()
            except Exception:
                log.exception("after_commit_failed")


def _key_of(name: str, arguments: Mapping[str, Any]) -> str:
    """One key for one job with these arguments."""
    digest = hashlib.sha256(orjson.dumps(dict(arguments), option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
    return f"{name}:{digest}"


class UnitScope:
    """The units of one request: what has been committed, and the one that waits for the answer to go with it.

    With `is_deferring`, a unit that ends is flushed but not committed: `finish` does that, called when the answer is
    written in its transaction, when the next unit begins, or before a call to the outside.
    """

    def __init__(self, *, is_deferring: bool = False) -> None:
        self.is_deferring = is_deferring
        #: units that were committed
        self.committed = 0
        #: something outside may have been told; the request cannot simply run again
        self.has_called_out = False
        self._waiting: UnitOfWork | None = None

    @property
    def waiting(self) -> UnitOfWork | None:
        """The unit that has ended and is not committed yet."""
        return self._waiting

    def keep(self, unit: UnitOfWork) -> None:
        unit.session.flush()
        self._waiting = unit

    def finish(self) -> None:
        """Commits the waiting unit, if any. Raises what COMMIT raises; nothing of the unit remains then."""
        unit, self._waiting = self._waiting, None
        if unit is not None:
            _commit(unit)
            self.committed += 1
            unit._committed()

    def give_up(self) -> None:
        """Rolls the waiting unit back."""
        unit, self._waiting = self._waiting, None
        if unit is not None:
            unit.session.rollback()
            unit.session.close()


@contextmanager
def unit_scope(*, is_deferring: bool = False) -> Iterator[UnitScope]:
    """Watches the units opened inside; a unit that still waits at the end is rolled back."""
    scope = UnitScope(is_deferring=is_deferring)
    token = _scope.set(scope)
    try:
        yield scope
    finally:
        _scope.reset(token)
        scope.give_up()


def ring_doorbell(at: Runtime) -> None:
    """Wakes the relay. Valkey away is no loss: the relay polls."""
    try:
        at.redis.publish(DOORBELL, b"1")
    except Exception as error:
        log.info("doorbell_not_heard", error=type(error).__name__)


def current_unit() -> UnitOfWork | None:
    """The open unit of this thread or greenlet, or the one that waits for its answer, if any."""
    unit = _open.get()
    if unit is None and (scope := _scope.get()) is not None:
        return scope.waiting
    return unit


def refuse_inside_unit(what: str) -> None:
    """Raises UnitOfWorkMisuse when a unit is open: no connection is held across a network call."""
    if _open.get() is not None:
        raise UnitOfWorkMisuse(f"{what} inside a unit of work: close the unit first, call, then settle in a new one")
    if (scope := _scope.get()) is not None:
        scope.finish()
        scope.has_called_out = True
    if has_app_context():
        release_reader()  # what was read before the call has its connection still


@contextmanager
def unit_of_work() -> Iterator[UnitOfWork]:
    """Opens the one transaction of a request, job or message; commits on a clean exit, rolls all back on an exception.

    Raises UnitOfWorkMisuse when one is open already. A COMMIT whose acknowledgement is lost is looked up: the block
    ends cleanly when it did happen.
    """
    if _open.get() is not None:
        raise UnitOfWorkMisuse("a unit of work is open already: pass `uow` on instead of opening another")
    scope = _scope.get()
    if scope is not None:
        scope.finish()
    release_reader()
    session = Session(
        bind=writing_bind(), autoflush=True, expire_on_commit=False, join_transaction_mode="create_savepoint"
    )
    unit = UnitOfWork(session, runtime())
    token = _open.set(unit)
    is_kept = False
    try:
        yield unit
        if scope is not None and scope.is_deferring:
            scope.keep(unit)
            is_kept = True
        else:
            commit(session, unit.xid, unit.witness)
    except BaseException:
        session.rollback()
        raise
    finally:
        _open.reset(token)
        if not is_kept:
            session.close()
    if is_kept:
        return
    if scope is not None:
        scope.committed += 1
    unit._committed()


def _commit(unit: UnitOfWork) -> None:
    try:
        commit(unit.session, unit.xid, unit.witness)
    except BaseException:
        unit.session.rollback()
        raise
    finally:
        unit.session.close()


def run_in_unit(func: Callable[[UnitOfWork], T]) -> T:
    """Runs `func(uow)` in a unit and returns its value after the commit.

    The framework owns the retry: when the transaction met another one (a deadlock, a serialization failure), the whole
    unit runs again, at most four times in all. `func` must have no effect outside PostgreSQL.
    """
    for attempt in range(CONFLICT_ATTEMPTS):
        try:
            with unit_of_work() as uow:
                value = func(uow)
        except DBAPIError as error:
            if not is_conflict(error) or attempt == CONFLICT_ATTEMPTS - 1:
                raise
            pause_before_retry(error, attempt)
        else:
            return value
    raise AssertionError("the loop returns or raises")


def record_refusal(action: str, **facts: Any) -> None:
    """Audits a denial in a short transaction of its own, because the unit that was refused rolls back."""
    with unit_of_work() as uow:
        uow.audit(action, outcome="refused", **facts)
