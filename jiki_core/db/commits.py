"""Committing: what became of a transaction whose acknowledgement got lost, and which failures a fresh try cures.

A connection that breaks during COMMIT leaves the outcome unknown to us, not to PostgreSQL: `pg_xact_status` tells.
"""

from __future__ import annotations

import random
import time
import uuid

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from jiki_core.db.database import db, pinned_connection
from jiki_core.observability import counter, get_logger

log = get_logger(__name__)
#: how long we ask what became of a commit before the request is answered 503; recovering from a crash may take as long
ASKING_SECONDS = 15.0
#: tries of a unit that meets another one, the first included
CONFLICT_ATTEMPTS = 4

#: SQLSTATE -> label: the whole unit may simply run again
_CONFLICTS = {"40001": "serialization", "40P01": "deadlock"}

#: what psycopg raises for a statement that it does not send
_UNSENT = (psycopg.ProgrammingError, psycopg.DataError, psycopg.NotSupportedError)

_retries = counter("jiki_db_retries_total", "Units of work that ran again", ["reason"])
_deadlocks = counter("jiki_db_deadlocks_total", "Units of work that PostgreSQL ended because of a deadlock")
_unknown = counter("jiki_db_unknown_commits_total", "Commits whose acknowledgement was lost", ["outcome"])


def commit(session: Session, xid: str | None = None, witness: uuid.UUID | None = None) -> None:
    """Commits; a lost acknowledgement is looked up. Raises what COMMIT raised, when the transaction did not happen.

    `xid` is the transaction's number, when the caller knows it already. `witness` is the id of an outbox row that this
    transaction wrote, if it wrote one: after a crash of PostgreSQL the number of a lost transaction may be given to
    another one, and then its status is not ours.
    """
    session.flush()
    if not session.in_transaction():
        return  # the unit has asked the database nothing, and takes no connection now
    if xid is None and pinned_connection() is None:
        xid = session.execute(text("select pg_current_xact_id_if_assigned()::text")).scalar_one()
    try:
        session.commit()
    except DBAPIError as error:
        if (
            xid is None
            or pinned_connection() is not None
            or not is_connection_lost(error)
            or not _did_commit(xid, witness)
        ):
            raise
        # What the unit loaded stays readable, as after any commit.
        session.expunge_all()
        log.warning("commit_acknowledgement_lost", xid=xid, outcome="committed")


def _did_commit(xid: str, witness: uuid.UUID | None) -> bool:
    """Asks until PostgreSQL knows; False when it did not happen, or nobody answers in time."""
    deadline = time.monotonic() + ASKING_SECONDS
    outcome = None
    while outcome not in ("committed", "aborted"):
        try:
            with db.engine.connect() as connection:
                outcome = connection.execute(text("select pg_xact_status(cast(:xid as xid8))"), {"xid": xid}).scalar()
                if outcome == "committed" and witness is not None and not _is_there(connection, witness):
                    outcome = "aborted"
        except (DBAPIError, PoolTimeout) as error:
            log.warning("commit_outcome_not_told", xid=xid, error=type(error).__name__)
        if outcome in ("committed", "aborted") or time.monotonic() > deadline:
            break
        time.sleep(0.05)  # between two questions
    _unknown.labels(outcome or "unknown").inc()
    return outcome == "committed"


def _is_there(connection: Connection, witness: uuid.UUID) -> bool:
    found = connection.execute(text("select 1 from core.outbox where id = :id"), {"id": witness}).scalar()
    return found is not None


def is_connection_lost(error: BaseException) -> bool:
    """Whether the server or the way to it went away, rather than refused something.

    An error without a SQLSTATE came from psycopg, not from the server: a broken line, or a statement that it would not
    even send, such as one with a value it cannot adapt. The latter is somebody's mistake and would come again for ever.
    """
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    sqlstate = getattr(error.orig, "sqlstate", None)
    if sqlstate is None:
        return error.connection_invalidated or not isinstance(error.orig, _UNSENT)
    return error.connection_invalidated or sqlstate[:2] == "08" or sqlstate[:3] == "57P"


def is_conflict(error: BaseException) -> bool:
    """Whether two transactions met, so that running the whole unit again may succeed."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _CONFLICTS


def pause_before_retry(error: DBAPIError, attempt: int) -> None:
    """Counts the retry and waits a little, at random, so that the two do not meet again."""
    reason = _CONFLICTS[error.orig.sqlstate]  # type: ignore[union-attr]  # is_conflict looked at it
    _retries.labels(reason).inc()
    if reason == "deadlock":
        _deadlocks.inc()
    time.sleep(random.uniform(0.005, 0.03) * 2**attempt)
