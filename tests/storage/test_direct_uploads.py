"""Direct uploads: ticket, PUT, attach. The browser is trusted with nothing."""

from __future__ import annotations

import hashlib
import uuid

import pytest
import requests
from flask import Flask
from sqlalchemy import func, select, update

from jiki_auth.models import User
from jiki_auth.testing import make_user, signed_in
from jiki_core.db import reading, unit_of_work
from jiki_core.storage import attach, attached, read_file, take_upload
from jiki_core.storage.errors import (
    ArchiveRefused,
    ChecksumMismatch,
    FileDisguised,
    SizeMismatch,
    UploadIncomplete,
    UploadNotFound,
)
from jiki_core.storage.models import UploadTicket
from jiki_core.storage.storage import storage
from jiki_core.storage.tickets import MAX_OPEN_TICKETS
from jiki_core.testing import drain_outbox
from tests.storage.samples import PDF, archive, png

ORIGIN = "http://localhost:3060"


@pytest.fixture
def app(files_app: Flask):
    return files_app


@pytest.fixture
def user(app):
    return make_user(app)


@pytest.fixture
def client(app, user):
    return signed_in(app, user)


def wanted(body: bytes = PDF, **changes):
    told = {
        "kind": "shelf.paper",
        "filename": "a.pdf",
        "byte_size": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    return {"upload": {**told, **changes}}


def ticket(client, body: bytes = PDF, **changes):
    return client.post("internal/uploads", wanted(body, **changes)).expect(201).body["upload"]


def put(app: Flask, issued, body: bytes, *, url: str | None = None) -> int:
    """Sends a file as the ticket says, to whoever takes it; returns the status."""
    target = url or issued["url"]
    if target.startswith(ORIGIN):
        answer = app.test_client().put(target.removeprefix(ORIGIN), data=body, headers=issued["headers"])
        return answer.status_code
    return requests.put(target, data=body, headers=issued["headers"], timeout=10).status_code


def take(app: Flask, issued, user, kind: str = "shelf.paper"):
    with app.app_context():
        staged = take_upload(uuid.UUID(issued["id"]), kind=kind, user_id=user.id)
        with unit_of_work() as uow:
            return attach(uow, staged, User, user.id, name="paper")


def objects(app: Flask) -> list[str]:
    with app.app_context():
        return sorted(found.key for found in storage().current.list())


def test_a_browser_uploads_a_file_and_names_it_where_it_belongs(app, client, user):
    issued = ticket(client)
    assert issued["method"] == "PUT"
    assert put(app, issued, PDF) in (200, 204)
    kept = take(app, issued, user)
    drain_outbox(app)
    with app.app_context():
        assert read_file(kept) == PDF
        assert attached(User, [user.id]) == {user.id: [kept]}
    assert objects(app) == [kept.key], "what arrived was copied out of the uploader's reach and removed"


@pytest.mark.parametrize(
    ("changes", "status", "symbol"),
    [
        ({"kind": "shelf.nothing"}, 422, "unknown_file_kind"),
        ({"kind": "shelf.inner", "filename": "a.txt"}, 422, "unknown_file_kind"),
        ({"kind": "shelf.guarded", "filename": "a.txt"}, 403, "forbidden"),
        ({"filename": "a.svg"}, 422, "file_type_refused"),
        ({"filename": "a"}, 422, "file_type_refused"),
        ({"byte_size": 0}, 422, "file_empty"),
        ({"byte_size": 100_001}, 422, "file_too_large"),
        ({"byte_size": -1}, 422, "validation_error"),
        ({"byte_size": "5"}, 422, "validation_error"),
        ({"sha256": "abc"}, 422, "validation_error"),
        ({"sha256": "G" * 64}, 422, "validation_error"),
        ({"user_id": 1}, 422, "validation_error"),
    ],
)
def test_a_ticket_is_refused_for_what_the_kind_does_not_take(app, client, changes, status, symbol):
    client.post("internal/uploads", wanted(**changes)).expect(status, symbol)


def test_nobody_gets_a_ticket_without_signing_in(app):
    from jiki_core.testing import ApiClient

    ApiClient(app).post("internal/uploads", wanted()).expect(401, "unauthenticated")


def test_tickets_cannot_be_hoarded(app, client, user):
    for _ in range(MAX_OPEN_TICKETS):
        ticket(client)
    refused = client.post("internal/uploads", wanted()).expect(429, "too_many_uploads")
    assert 0 < int(refused.headers["Retry-After"]) <= 1_800
    with app.app_context(), unit_of_work() as uow:
        uow.session.execute(update(UploadTicket).values(expires_at=uow.now))
    ticket(client)


def test_a_ticket_is_its_owners_for_its_kind_once_and_for_a_while(app, client, user):
    issued = ticket(client)
    with pytest.raises(UploadIncomplete):
        take(app, issued, user)
    put(app, issued, PDF)
    with pytest.raises(UploadNotFound):
        take(app, issued, make_user(app))
    with pytest.raises(UploadNotFound):
        take(app, issued, user, kind="shelf.inner")
    with app.app_context():
        first = take_upload(uuid.UUID(issued["id"]), kind="shelf.paper", user_id=user.id)
        second = take_upload(uuid.UUID(issued["id"]), kind="shelf.paper", user_id=user.id)
        with unit_of_work() as uow:
            attach(uow, first, User, user.id, name="paper")
        with pytest.raises(UploadNotFound), unit_of_work() as uow:
            attach(uow, second, User, user.id, name="paper")
    with pytest.raises(UploadNotFound):
        take(app, issued, user)


def test_an_expired_ticket_is_worth_nothing(app, client, user):
    issued = ticket(client)
    put(app, issued, PDF)
    with app.app_context(), unit_of_work() as uow:
        uow.session.execute(update(UploadTicket).values(expires_at=uow.now))
    with pytest.raises(UploadNotFound):
        take(app, issued, user)


@pytest.mark.parametrize(
    ("sent", "told", "error"),
    [
        (png(comment=b"<?php 1 ?>"), {"filename": "a.png"}, FileDisguised),
        (png(), {"filename": "a.pdf"}, FileDisguised),
        (archive({"a.txt": b"\0" * 9_000_000}), {"filename": "a.zip"}, ArchiveRefused),
    ],
)
def test_what_the_file_really_is_counts_when_it_is_attached(app, client, user, sent, told, error):
    issued = ticket(client, sent, **told)
    assert put(app, issued, sent) in (200, 204)
    with pytest.raises(error):
        take(app, issued, user)
    assert objects(app) == [f"uploads/{issued['id']}"], "nothing of it was kept"


def test_a_store_that_took_another_file_than_the_ticket_named_is_found_out(app, client, user):
    """As an S3 that does not hold uploaders to their checksums would."""
    for sent, error in ((PDF[:-1] + b"!", ChecksumMismatch), (PDF + b"more", SizeMismatch)):
        issued = ticket(client)
        with app.app_context():
            storage().current.put(f"uploads/{issued['id']}", sent)
        with pytest.raises(error):
            take(app, issued, user)


def test_a_ticket_of_an_erased_table_row_is_gone_with_its_object_after_the_sweep(app, client, user):
    issued = ticket(client)
    put(app, issued, PDF)
    with app.app_context():
        assert reading().execute(select(func.count()).select_from(UploadTicket)).scalar_one() == 1
    assert objects(app) == [f"uploads/{issued['id']}"]
