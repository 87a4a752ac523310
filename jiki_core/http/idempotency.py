"""Idempotency keys: a repeated POST, PUT, PATCH or DELETE of internal and admin gives the first answer and does nothing.

The key is reserved before the view runs. The answer is stored in the transaction of the view's last unit of work, so
that effect and answer are in the database together or not at all. docs/idempotency.md lists the nine cases.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask, Request, Response, request
from sqlalchemy import BigInteger as BigInt
from sqlalchemy import CheckConstraint, DateTime, Index, LargeBinary, SmallInteger, Text, delete, func, or_, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.exceptions import HTTPException

from jiki_core.configuration import derived_key
from jiki_core.db import CoreModel, Timestamp, UnitOfWork, unit_of_work
from jiki_core.db.commits import CONFLICT_ATTEMPTS, is_conflict, pause_before_retry
from jiki_core.db.unit_of_work import UnitScope, unit_scope
from jiki_core.errors import BadRequest, DomainError, RetryLater
from jiki_core.http.mounts import Mounted
from jiki_core.http.parsing import read_body
from jiki_core.observability import counter, get_logger
from jiki_core.runtime import Runtime, runtime_of
from jiki_core.security import current_identity
from jiki_core.security.sealing import SealingKeys

log = get_logger(__name__)
HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
#: how long a request may work under a key before another may take it over; longer than any server lets one run
LOCK_SECONDS = 90
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: audiences whose writing routes take a key
IDEMPOTENT_AUDIENCES = frozenset({"internal", "admin"})
#: answers that tell of the moment, not of the request
_PASSING_STATUSES = frozenset({401, 408, 425, 429})
_KEPT_HEADERS = ("Content-Type", "Location", "Cache-Control")
_WELL_FORMED = re.compile(r"[\x21-\x7e]{1,255}")

_requests = counter("jiki_idempotent_requests_total", "Requests with an Idempotency-Key", ["outcome"])


class IdempotencyMismatch(DomainError):
    """The key was used for another request."""

    symbol = "idempotency_mismatch"
    status = 422


class IdempotencyInProgress(RetryLater):
    """The first request with this key is still being worked on."""

    symbol = "idempotency_in_progress"
    status = 409


class IdempotencyKey(CoreModel):
    """A key of a user: what was asked, and the answer once there is one."""

    __tablename__ = "idempotency_keys"

    #: opaque: users belong to a plugin
    user_id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    #: "METHOD template", for people who look
    route: Mapped[str] = mapped_column(Text)
    #: SHA-256 of method, path, query and body
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(Text, server_default="in_progress")
    #: of the request that holds the key; whoever lost it cannot store an answer
    token: Mapped[uuid.UUID]
    locked_until: Mapped[Timestamp] = mapped_column(DateTime(timezone=True))
    status: Mapped[int | None] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    #: sealed with a key that is not in the database: answers may show secrets that are shown once
    sealed_body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    expires_at: Mapped[Timestamp]

    __table_args__ = (
        CheckConstraint("state in ('in_progress', 'answered')", name="state"),
        Index("idempotency_keys_expires_at_idx", "expires_at"),
    )


@dataclass(frozen=True)
class Reservation:
    """A key that the current request holds."""

    user_id: int
    key: str
    token: uuid.UUID


def install_idempotency(app: Flask) -> None:
    """Wraps the call of every writing view; the guard has let the request pass by then."""
    dispatch: Callable[[], Any] = app.dispatch_request

    def dispatch_once() -> Any:
        mounted = runtime_of(app).mounted.get(request.endpoint or "")
        if mounted is None or request.method in _SAFE_METHODS:
            return dispatch()
        at = runtime_of(app)
        reservation = _reserve(at, mounted)
        if isinstance(reservation, Response):
            return reservation
        return _perform(app, dispatch, mounted, reservation)

    app.dispatch_request = dispatch_once  # type: ignore[method-assign]  # Flask has no hook around the view alone


def _perform(app: Flask, dispatch: Callable[[], Any], mounted: Mounted, reservation: Reservation | None) -> Response:
    """The view's response. A view whose first transaction met another one runs again, as nothing has happened yet."""
    for attempt in range(CONFLICT_ATTEMPTS):
        with unit_scope(is_deferring=reservation is not None) as scope:
            try:
                response, is_passing = _answer(app, dispatch, is_kept=reservation is not None)
                if reservation is not None:
                    _keep_answer(runtime_of(app), scope, reservation, response, is_passing=is_passing)
            except DBAPIError as error:
                can_run_again = not scope.committed and not scope.has_called_out and mounted.body == "json"
                if is_conflict(error) and can_run_again and attempt < CONFLICT_ATTEMPTS - 1:
                    scope.give_up()
                    pause_before_retry(error, attempt)
                    continue
                _release(reservation)
                raise
            except BaseException:
                scope.give_up()
                _release(reservation)
                raise
            return response
    raise AssertionError("the loop returns or raises")


def _answer(app: Flask, dispatch: Callable[[], Any], *, is_kept: bool) -> tuple[Response, bool]:
    """What the view returns, and whether that tells of the moment. A refusal to be kept is made a response here.

    Units that ended before it stay, as they do without a key: the audit of a denial is one.
    """
    try:
        response = app.make_response(dispatch())
    except (DomainError, HTTPException) as error:
        if not is_kept:
            raise
        response = app.make_response(app.handle_user_exception(error))
        if isinstance(error, DomainError) and error.is_passing:
            return response, True
    return response, response.status_code >= 500 or response.status_code in _PASSING_STATUSES


def _reserve(at: Runtime, mounted: Mounted) -> Reservation | Response | None:
    """The reserved key, the answer that it had before, or None for a request without one."""
    key = request.headers.get(HEADER)
    if key is None or mounted.audience not in IDEMPOTENT_AUDIENCES:
        return None
    identity = current_identity()
    if identity is None:
        return None
    if not _WELL_FORMED.fullmatch(key):
        raise BadRequest(reason="invalid_idempotency_key")
    fingerprint, token = _fingerprint(request, mounted), uuid.uuid4()
    now = func.clock_timestamp()
    wanted = insert(IdempotencyKey).values(
        user_id=identity.user_id,
        key=key,
        route=f"{request.method} {request.url_rule.rule if request.url_rule else request.path}",
        fingerprint=fingerprint,
        token=token,
        locked_until=now + timedelta(seconds=LOCK_SECONDS),
        expires_at=now + timedelta(hours=at.settings.idempotency_ttl_hours),
    )
    offered = wanted.excluded
    taking_over = wanted.on_conflict_do_update(
        index_elements=["user_id", "key"],
        set_={
            "route": offered.route,
            "fingerprint": offered.fingerprint,
            "state": "in_progress",
            "token": offered.token,
            "locked_until": offered.locked_until,
            "status": None,
            "headers": None,
            "sealed_body": None,
            "created_at": now,
            "expires_at": offered.expires_at,
        },
        where=or_(
            IdempotencyKey.expires_at < now,
            (IdempotencyKey.state == "in_progress")
            & (IdempotencyKey.locked_until < now)
            & (IdempotencyKey.fingerprint == offered.fingerprint),
        ),
    ).returning(IdempotencyKey.token)
    with unit_of_work() as uow:
        if uow.session.execute(taking_over).scalar_one_or_none() == token:
            _requests.labels("first").inc()
            return Reservation(identity.user_id, key, token)
        known = uow.session.get(IdempotencyKey, (identity.user_id, key))
    return _known_answer(at, known, fingerprint)


def _known_answer(at: Runtime, known: IdempotencyKey | None, fingerprint: bytes) -> Response:
    if known is None or (known.state == "in_progress" and known.fingerprint == fingerprint):
        _requests.labels("in_progress").inc()
        raise IdempotencyInProgress(retry_after_seconds=1)
    if known.fingerprint != fingerprint:
        _requests.labels("mismatch").inc()
        raise IdempotencyMismatch()
    _requests.labels("replayed").inc()
    body = _open(at, known) if known.sealed_body is not None else b""
    response = Response(body, status=known.status, headers=known.headers)
    response.headers[REPLAYED_HEADER] = "true"
    return response


def _keep_answer(
    at: Runtime, scope: UnitScope, reservation: Reservation, response: Response, *, is_passing: bool
) -> None:
    """Stores the answer with the view's last unit and commits both; an answer of the moment frees the key instead."""
    if is_passing or response.is_streamed or response.direct_passthrough:
        scope.finish()
        _release(reservation)
        return
    if scope.waiting is None:
        with unit_of_work():
            """A view that wrote nothing: the answer's own transaction waits at the scope, like a view's."""
    unit = scope.waiting
    assert unit is not None, "a deferring scope keeps the unit that ended last"
    if not _store(unit, at, reservation, response):
        scope.give_up()
        raise IdempotencyInProgress(retry_after_seconds=1)
    scope.finish()


def _store(unit: UnitOfWork, at: Runtime, reservation: Reservation, response: Response) -> bool:
    """False when another request took the key over, because this one was too slow."""
    body = response.get_data()
    stored = unit.session.execute(
        update(IdempotencyKey)
        .where(*_ours(reservation))
        .values(
            state="answered",
            status=response.status_code,
            headers={name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers},
            sealed_body=_seal(at, reservation, body) if body else None,
        )
        .returning(IdempotencyKey.key)
    ).scalar_one_or_none()
    return stored is not None


def _release(reservation: Reservation | None) -> None:
    """Frees the key for a retry. When PostgreSQL cannot be told, the lock runs out by itself."""
    if reservation is None:
        return
    try:
        with unit_scope(), unit_of_work() as uow:
            uow.session.execute(delete(IdempotencyKey).where(*_ours(reservation)))
    except SQLAlchemyError as error:
        log.warning("idempotency_key_not_released", error=type(error).__name__)


def _ours(reservation: Reservation) -> tuple[Any, ...]:
    return (
        IdempotencyKey.user_id == reservation.user_id,
        IdempotencyKey.key == reservation.key,
        IdempotencyKey.token == reservation.token,
        IdempotencyKey.state == "in_progress",
    )


def _fingerprint(incoming: Request, mounted: Mounted) -> bytes:
    digest = hashlib.sha256()
    for part in (incoming.method.encode(), incoming.path.encode(), incoming.query_string):
        digest.update(hashlib.sha256(part).digest())
    if mounted.body == "multipart":  # its boundary differs at each repeat
        for name, values in sorted(incoming.form.lists()):
            digest.update(hashlib.sha256(repr((name, values)).encode()).digest())
        for name, files in sorted(incoming.files.lists()):
            for file in files:
                content = hashlib.sha256(file.stream.read()).digest()
                file.stream.seek(0)
                digest.update(hashlib.sha256(repr((name, file.filename)).encode() + content).digest())
    else:
        digest.update(hashlib.sha256(read_body(incoming)).digest())
    return digest.digest()


def _seal(at: Runtime, reservation: Reservation, body: bytes) -> bytes:
    return _keys(at).seal(body, bound_to=f"idempotency:{reservation.user_id}:{reservation.key}").encode()


def _open(at: Runtime, known: IdempotencyKey) -> bytes:
    assert known.sealed_body is not None, "asked for an answer with a body"
    return _keys(at).open(known.sealed_body.decode(), bound_to=f"idempotency:{known.user_id}:{known.key}")


def _keys(at: Runtime) -> SealingKeys:
    return SealingKeys((derived_key(at.settings, "idempotency"),))
