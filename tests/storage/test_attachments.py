"""Files of records: staged outside, settled in the record's transaction, swept when nobody names them."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from jiki_auth.models import User
from jiki_auth.testing import make_user
from jiki_core.contracts import Accounts, ask
from jiki_core.db import reading, unit_of_work
from jiki_core.db.outbox import OutboxEntry, OutboxState
from jiki_core.plugins.erasing import erase_person, export_person
from jiki_core.storage import (
    FileRefused,
    attach,
    attached,
    detach,
    discard,
    open_file,
    read_file,
    replace_attachment,
    store,
)
from jiki_core.storage.errors import FileMissing, StorageUnavailable, UnknownFileKind
from jiki_core.storage.models import Attachment, Blob
from jiki_core.storage.storage import storage
from jiki_core.storage.sweeps import sweep_files
from jiki_core.testing import drain_outbox
from tests.storage.samples import PDF, png


@pytest.fixture
def app(files_app: Flask):
    with files_app.app_context():
        yield files_app


@pytest.fixture
def user(app: Flask):
    return make_user(app)


def keep(user_id: int, body: bytes = PDF, *, kind: str = "shelf.paper", name: str = "paper", filename: str = "a.pdf"):
    staged = store(kind, body, filename=filename, user_id=user_id)
    with unit_of_work() as uow:
        return attach(uow, staged, User, user_id, name=name)


def undone(act) -> None:
    """Does something in a unit that then fails."""

    def fail() -> None:
        with unit_of_work() as uow:
            act(uow)
            raise LookupError("something else went wrong")

    with pytest.raises(LookupError):
        fail()


def keys() -> set[str]:
    return {found.key for place in storage().all() for found in place.list()}


def rows(model) -> int:
    return reading().execute(select(func.count()).select_from(model)).scalar_one()


def sweep(app: Flask, *, hours_later: int = 0) -> None:
    """Runs the sweep as a job; `hours_later` lets the files be older than they are."""
    settings = app.extensions["jiki"].settings
    kept = settings.storage_orphan_hours
    object.__setattr__(settings, "storage_orphan_hours", kept - hours_later)
    try:
        with unit_of_work() as uow:
            uow.enqueue(sweep_files)
        drain_outbox(app)
    finally:
        object.__setattr__(settings, "storage_orphan_hours", kept)
    unfinished = select(OutboxEntry.name, OutboxEntry.reason).where(OutboxEntry.state != OutboxState.DONE)
    assert reading().execute(unfinished).all() == []


def test_an_attached_file_is_found_with_its_record(app, user):
    kept = keep(user.id)
    assert attached(User, [user.id, 0]) == {user.id: [kept], 0: []}
    assert attached(User, [user.id], name="other") == {user.id: []}
    assert (kept.filename, kept.content_type, kept.byte_size, kept.name) == (
        "a.pdf",
        "application/pdf",
        len(PDF),
        "paper",
    )
    assert read_file(kept) == PDF
    assert uuid.UUID(kept.key.removeprefix("blobs/")) == kept.id, "the stored name is a UUID, whatever it was called"


def test_a_public_file_has_its_own_stable_url(app, user):
    first = keep(user.id, png(), kind="shelf.picture", filename="me.png")
    second = keep(user.id, png(), kind="shelf.picture", filename="me.png")
    assert first.public_url != second.public_url
    assert first.public_url.endswith(f"/public/blobs/{first.id}.png")
    assert attached(User, [user.id])[user.id][0].public_url == first.public_url


def test_what_is_refused_leaves_no_object(app, user):
    with pytest.raises(FileRefused):
        store("shelf.paper", b"<svg>", filename="a.svg", user_id=user.id)
    with pytest.raises(UnknownFileKind):
        store("shelf.nothing", PDF, filename="a.pdf")
    assert keys() == set()


def test_the_object_comes_before_the_row_and_a_rollback_leaves_no_row(app, user):
    staged = store("shelf.paper", PDF, filename="a.pdf", user_id=user.id)
    assert keys() == {staged.key}
    undone(lambda uow: attach(uow, staged, User, user.id, name="paper"))
    assert (rows(Blob), rows(Attachment)) == (0, 0)
    discard(staged)
    assert keys() == set()


def test_detaching_removes_the_object_after_the_commit_and_not_before(app, user):
    kept = keep(user.id)
    undone(lambda uow: detach(uow, User, user.id, name="paper"))
    drain_outbox(app)
    assert read_file(kept) == PDF
    with unit_of_work() as uow:
        assert detach(uow, User, user.id, file_id=kept.id) == 1
    assert rows(Blob) == 0
    assert keys() == {kept.key}
    drain_outbox(app)
    assert keys() == set()
    with pytest.raises(FileMissing):
        open_file(kept)


def test_replacing_leaves_one_file_of_a_name(app, user):
    keep(user.id, name="other")
    for number in range(3):
        staged = store("shelf.picture", png(number + 1), filename="me.png", user_id=user.id)
        with unit_of_work() as uow:
            latest = replace_attachment(uow, staged, User, user.id, name="picture")
    drain_outbox(app)
    assert attached(User, [user.id], name="picture") == {user.id: [latest]}
    assert len(keys()) == 2


def test_a_record_needs_a_key_of_one_column(app, user):
    from jiki_core.jobs.schedules import ScheduleTick

    with pytest.raises(ValueError, match="no primary key of one column"):
        attached(ScheduleTick, ["x"])


def test_content_that_was_altered_in_its_place_is_not_handed_out(app, user):
    kept = keep(user.id)
    storage().named(kept.service).put(kept.key, b"%PDF-something else")
    with pytest.raises(StorageUnavailable):
        read_file(kept)


def test_the_sweep_takes_old_orphans_and_nothing_else(app, user):
    kept = keep(user.id)
    orphan = store("shelf.paper", PDF, filename="a.pdf", user_id=user.id)
    public_orphan = store("shelf.picture", png(), filename="a.png")
    storage().current.put("public/folders/i18n/current.json", b"{}")
    sweep(app)
    assert {orphan.key, public_orphan.key} <= keys(), "a young one may yet be attached"
    sweep(app, hours_later=25)
    assert keys() == {kept.key, "public/folders/i18n/current.json"}
    assert read_file(kept) == PDF


def test_the_sweep_takes_files_of_records_that_are_gone(app, user):
    keep(user.id)
    other = make_user(app)
    kept = keep(other.id)
    with unit_of_work() as uow:
        uow.session.execute(text("delete from auth.users where id = :id"), {"id": user.id})
    sweep(app)
    assert keys() == {kept.key}
    assert (rows(Blob), rows(Attachment)) == (1, 1)


def test_the_sweep_takes_files_of_tables_that_were_purged(app, user):
    kept = keep(user.id)
    with unit_of_work() as uow:
        uow.session.execute(update(Attachment).values(record_type="purged.things"))
    sweep(app)
    assert kept.key not in keys()
    assert rows(Blob) == 0


def test_a_blob_that_nothing_holds_goes_after_a_day(app, user):
    keep(user.id)
    with unit_of_work() as uow:
        uow.session.execute(text("delete from core.attachments"))
    sweep(app)
    assert rows(Blob) == 1
    with unit_of_work() as uow:
        uow.session.execute(update(Blob).values(created_at=uow.now - timedelta(hours=25)))
    sweep(app)
    assert (rows(Blob), keys()) == (0, set())


def test_an_export_tells_of_a_persons_files_and_an_erasure_removes_them(app, user):
    keep(user.id)
    keep(user.id, png(), kind="shelf.picture", filename="me.png")
    other = make_user(app)
    kept = keep(other.id)
    host = app.extensions["jiki.host"]
    told = export_person(host, user.id)["plugins"]["core"]["blobs"]
    assert sorted((one["kind"], one["filename"]) for one in told) == [
        ("shelf.paper", "a.pdf"),
        ("shelf.picture", "me.png"),
    ]
    assert ask(Accounts).find(user.email) is not None
    with unit_of_work() as uow:
        erase_person(uow, host, user.id, addresses=[user.email], reason="asked")
    drain_outbox(app)
    assert keys() == {kept.key}
    assert attached(User, [user.id, other.id]) == {user.id: [], other.id: [kept]}
