"""`/files` of the disk driver: what links open, how files are served, and what a PUT must bring."""

from __future__ import annotations

import hashlib
import time

import pytest
from flask import Flask

from jiki_auth.models import User
from jiki_auth.testing import make_user, signed_in
from jiki_core.db import unit_of_work
from jiki_core.storage import attach, store
from jiki_core.storage.signatures import is_signed, sign
from jiki_core.storage.storage import storage
from jiki_core.testing import ApiClient
from tests.storage.samples import PDF, png

ORIGIN = "http://localhost:3060"


@pytest.fixture
def app(shelf) -> Flask:
    return shelf("disk")


@pytest.fixture
def client(app) -> ApiClient:
    return ApiClient(app)


def path_of(url: str) -> str:
    return url.removeprefix(ORIGIN)


@pytest.fixture
def kept(app):
    """A paper, a private picture and a public picture of one user."""
    user = make_user(app)
    with app.app_context():
        files = {}
        for name, kind, body, filename in (
            ("paper", "shelf.paper", PDF, "szám.pdf"),
            ("drawn", "shelf.paper", png(), "a.png"),
            ("public", "shelf.picture", png(), "a.png"),
        ):
            staged = store(kind, body, filename=filename, user_id=user.id)
            with unit_of_work() as uow:
                files[name] = attach(uow, staged, User, user.id, name=name)
        links = {name: path_of(files[name].download_url(expires_in_seconds=60)) for name in ("paper", "drawn")}
        return {**links, "public": path_of(files["public"].public_url)}


def test_a_file_is_served_so_that_it_can_run_nothing(client, kept):
    answer = client.get(kept["paper"]).expect(200)
    assert answer.response.data == PDF
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Cache-Control"].startswith("private")


@pytest.mark.parametrize("which", ["drawn", "public"])
def test_only_images_that_browsers_draw_are_shown_in_place(client, kept, which):
    answer = client.get(kept[which]).expect(200)
    assert answer.headers["Content-Disposition"].startswith("inline; ")
    assert answer.headers["Content-Type"] == "image/png"


def test_a_public_file_is_everybodys_for_ever(client, kept):
    answer = client.get(kept["public"]).expect(200)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    again = client.get(kept["public"], headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.response.data) == (304, b"")
    assert client.call("HEAD", kept["public"]).expect(200).headers["Content-Length"] == str(len(png()))


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ("bytes=0-3", 206, PDF[:4]),
        ("bytes=-6", 206, PDF[-6:]),
        (f"bytes={len(PDF)}-", 416, None),
    ],
)
def test_ranges(client, kept, asked, status, body):
    answer = client.get(kept["paper"], headers={"Range": asked}).expect(status)
    if body is None:
        assert answer.error == {"type": "range_not_satisfiable", "byte_size": len(PDF)}
    else:
        assert answer.response.data == body


@pytest.mark.parametrize(
    "alter",
    [
        lambda path: path.partition("?")[0],
        lambda path: path.replace("blobs/", "blobs/0"),
        lambda path: path.replace("inline=0", "inline=1"),
        lambda path: path.replace("type=application%2Fpdf", "type=text%2Fhtml"),
        lambda path: path.replace("expires=", "expires=9"),
        lambda path: path + "&further=1",
        lambda path: path[:-1],
        lambda path: path.replace("signature=", "signature=%C3%A9"),
    ],
)
def test_a_link_that_was_altered_opens_nothing(client, kept, alter):
    altered = alter(kept["paper"])
    assert altered != kept["paper"]
    client.get(altered).expect(403, "file_link_invalid")


def test_a_link_ends():
    secret = b"k" * 32
    link = {"expires": "1000", "name": "a"}
    link["signature"] = sign(secret, "GET", "blobs/a", link)
    assert is_signed(secret, "GET", "blobs/a", link, 999.9)
    assert not is_signed(secret, "GET", "blobs/a", link, 1000)
    assert not is_signed(secret, "PUT", "blobs/a", link, 999)
    assert not is_signed(b"x" * 32, "GET", "blobs/a", link, 999)
    assert not is_signed(secret, "GET", "blobs/a", {}, 999)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/files/public/blobs/none.png", 404),
        ("/files/public/../blobs/x", 404),
        ("/files/public/%2e%2e/secret", 404),
        ("/files/.headers/public/blobs/a", 404),
        ("/files/public/blobs", 404),
        ("/files/uploads/6b1f3b0e-0000-7000-8000-000000000000", 403),
        ("/files/blobs/x", 403),
    ],
)
def test_what_is_no_file_of_everybody_is_not_served(client, kept, path, status):
    client.get(path).expect(status)


def upload(app: Flask, body: bytes = PDF):
    client = signed_in(app, make_user(app))
    told = {
        "kind": "shelf.paper",
        "filename": "a.pdf",
        "byte_size": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    return client.post("internal/uploads", {"upload": told}).expect(201).body["upload"]


def put(app: Flask, issued, body: bytes, path: str | None = None):
    return ApiClient(app).call("PUT", path or path_of(issued["url"]), data=body, headers=issued["headers"])


def test_a_put_brings_exactly_the_file_of_the_ticket(app):
    issued = upload(app)
    put(app, issued, PDF[:-1]).expect(422, "file_size_mismatch")
    put(app, issued, PDF + b"x").expect(413, "payload_too_large")
    put(app, issued, PDF[:-1] + b"x").expect(422, "file_checksum_mismatch")
    with app.app_context():
        assert list(storage().disk.list()) == []
    put(app, issued, PDF).expect(204)
    put(app, issued, PDF).expect(204)


@pytest.mark.parametrize(
    "alter",
    [
        lambda path: path.replace("size=", "size=9"),
        lambda path: path.replace("sha256=", "sha256=0"),
        lambda path: path.partition("?")[0],
    ],
)
def test_a_ticket_that_was_altered_takes_nothing(app, alter):
    issued = upload(app)
    put(app, issued, PDF, alter(path_of(issued["url"]))).expect(403, "file_link_invalid")


def test_a_ticket_that_is_over_takes_nothing(app):
    issued = upload(app)
    with app.app_context(), unit_of_work() as uow:
        from sqlalchemy import delete

        from jiki_core.storage.models import UploadTicket

        uow.session.execute(delete(UploadTicket))
    put(app, issued, PDF).expect(404, "upload_not_found")


def test_links_may_lead_to_a_host_of_their_own(shelf):
    app = shelf("disk", JIKI_FILES_URL="https://files.example.test")
    assert upload(app)["url"].startswith("https://files.example.test/files/uploads/")


def test_nothing_but_uploads_can_be_put(app):
    with app.app_context():
        disk = storage().disk
        link = {"expires": str(int(time.time()) + 60), "size": "3", "sha256": hashlib.sha256(b"abc").hexdigest()}
        link["signature"] = sign(disk.secret, "PUT", "public/a.png", link)
    answer = ApiClient(app).call("PUT", "/files/public/a.png", data=b"abc", query_string=link)
    assert answer.status == 405


def test_the_front_end_may_put_files_from_its_own_origin(app):
    issued = upload(app)
    asked = {
        "Origin": "http://localhost:3061",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = ApiClient(app).call("OPTIONS", path_of(issued["url"]), headers=asked).expect(200)
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3061"
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type"
