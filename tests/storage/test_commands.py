"""`flask storage`, and the files of `flask users export`."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from sqlalchemy import select

from jiki_auth.models import User
from jiki_auth.testing import make_user
from jiki_core.cli.storage import cli as storage_cli
from jiki_core.cli.users import cli as users_cli
from jiki_core.db import reading, unit_of_work
from jiki_core.db.outbox import OutboxEntry, OutboxState
from jiki_core.storage import attach, store
from jiki_core.storage.storage import storage
from jiki_core.testing import drain_outbox
from tests.storage.samples import PDF, png


@pytest.fixture
def app(shelf):
    return shelf("disk")


@pytest.fixture
def kept(app: Flask):
    user = make_user(app)
    with app.app_context():
        files = []
        for kind, body, filename in (("shelf.paper", PDF, "a.pdf"), ("shelf.picture", png(), "a.png")):
            staged = store(kind, body, filename=filename, user_id=user.id)
            with unit_of_work() as uow:
                files.append(attach(uow, staged, User, user.id, name="file"))
    return user, files


def run(app: Flask, *arguments: str, cli=storage_cli, status: int = 0) -> str:
    done = app.test_cli_runner().invoke(cli, arguments)
    assert done.exit_code == status, done.output
    return done.output


def test_status_counts_files_by_service_and_kind(app, kept):
    told = json.loads(run(app, "status", "--json"))
    assert told == {
        "current": "disk",
        "open_tickets": 0,
        "kinds": [
            {"service": "disk", "kind": "shelf.paper", "files": 1, "bytes": len(PDF)},
            {"service": "disk", "kind": "shelf.picture", "files": 1, "bytes": len(png())},
        ],
    }
    assert "new files go to disk" in run(app, "status")


def test_check_tries_every_service_and_leaves_nothing(shelf):
    app = shelf("s3")
    assert run(app, "check") == "disk: works\ns3: works\n"
    with app.app_context():
        assert [found.key for place in storage().all() for found in place.list()] == []


def test_check_says_which_service_does_not_work(shelf):
    app = shelf("s3", JIKI_STORAGE_S3_BUCKET="no-such-bucket")
    told = run(app, "check", status=1)
    assert "disk: works" in told
    assert "s3: storage_unavailable: An error occurred (NoSuchBucket)" in told


def test_verify_finds_what_is_missing_or_altered(app, kept):
    _, (paper, picture) = kept
    assert run(app, "verify", "--checksums") == "2 files, 0 wrong\n"
    with app.app_context():
        storage().disk.delete(paper.key)
        storage().disk.put(picture.key, png()[:-1] + b"x")
    told = run(app, "verify", status=1)
    assert f"disk:{paper.key}  shelf.paper  missing" in told
    assert "2 files, 1 wrong" in told
    assert "has another content" in run(app, "verify", "--checksums", status=1)


def test_sweep_asks_for_the_job(app):
    assert "asked for core.sweep_files" in run(app, "sweep")
    drain_outbox(app)
    with app.app_context():
        assert reading().scalars(select(OutboxEntry.state)).all() == [OutboxState.DONE]


def test_an_export_brings_the_persons_files(app, kept, tmp_path):
    user, (paper, picture) = kept
    run(
        app, "export", str(user.id), "--to", str(tmp_path / "all.json"), "--files", str(tmp_path / "out"), cli=users_cli
    )
    written = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert written == {f"{paper.id}-a.pdf": PDF, f"{picture.id}-a.png": png()}
