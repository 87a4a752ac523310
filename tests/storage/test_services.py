"""Both drivers keep the promises of `StorageService`; S3 is a real server over HTTP."""

from __future__ import annotations

import hashlib
import io
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import requests
from flask import Flask

from jiki_core.db import unit_of_work
from jiki_core.db.unit_of_work import UnitOfWorkMisuse
from jiki_core.storage import folder
from jiki_core.storage.errors import FileMissing
from jiki_core.storage.service import check_key
from jiki_core.storage.storage import storage

LARGE = bytes(range(256)) * 1_024


@pytest.fixture
def place(files_app: Flask):
    with files_app.app_context():
        yield storage().current


def read(place, key: str) -> bytes:
    with place.open(key) as file:
        return file.read()


def fetch(app: Flask, url: str, headers: dict[str, str] | None = None):
    """(status, headers, body) of a URL that a browser was given, whoever serves it."""
    if url.startswith("http://localhost:3060/"):
        path = url.removeprefix("http://localhost:3060")
        answer = app.test_client().get(path, headers=headers, buffered=True)
        return answer.status_code, answer.headers, answer.data
    found = requests.get(url, headers=headers, timeout=10)
    return found.status_code, found.headers, found.content


@pytest.mark.parametrize("body", [b"", b"hello", LARGE])
def test_what_was_put_is_read_again(place, body):
    place.put("blobs/one", body)
    assert read(place, "blobs/one") == body
    place.put("blobs/two", io.BytesIO(body))
    assert read(place, "blobs/two") == body


def test_a_put_replaces_the_object_whole(place):
    place.put("blobs/one", LARGE)
    before = place.open("blobs/one")
    place.put("blobs/one", b"new")
    assert read(place, "blobs/one") == b"new"
    before.close()


def test_an_object_is_known_by_its_size_and_age(place):
    place.put("blobs/one", b"hello")
    found = place.stat("blobs/one")
    assert (found.key, found.byte_size) == ("blobs/one", 5)
    assert abs(datetime.now(UTC) - found.modified_at) < timedelta(minutes=1)


def test_what_is_not_there_is_missing_and_may_be_deleted(place):
    assert place.stat("blobs/none") is None
    with pytest.raises(FileMissing):
        place.open("blobs/none")
    with pytest.raises(FileMissing):
        place.copy("blobs/none", "blobs/other", content_type="text/plain")
    place.delete("blobs/none")


def test_a_copy_is_an_object_of_its_own(place):
    place.put("uploads/one", b"first")
    place.copy("uploads/one", "blobs/one", content_type="text/plain")
    place.put("uploads/one", b"second")
    place.delete("uploads/one")
    assert read(place, "blobs/one") == b"first"


def test_objects_are_listed_by_prefix(place):
    for key in ("blobs/a", "blobs/b/c", "public/blobs/d.png", "blobstore/e"):
        place.put(key, b"x")
    assert {found.key for found in place.list("blobs/")} == {"blobs/a", "blobs/b/c"}
    assert {found.key for found in place.list("blobs/b")} == {"blobs/b/c"}
    assert len(list(place.list())) == 4
    assert list(place.list("nothing/")) == []


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", "../a", "a/../b", ".headers/a", "a\\b", "a\0b", "a:b", "x" * 600]
)
def test_a_key_that_could_leave_its_place_is_refused(place, key):
    with pytest.raises(ValueError, match="object key"):
        check_key(key)
    with pytest.raises(ValueError, match="object key"):
        place.put(key, b"x")


@pytest.mark.parametrize(
    "act",
    [
        lambda place: place.put("blobs/a", b""),
        lambda place: place.open("blobs/a"),
        lambda place: place.stat("blobs/a"),
        lambda place: place.copy("blobs/a", "blobs/b", content_type="text/plain"),
        lambda place: place.delete("blobs/a"),
        lambda place: list(place.list()),
        lambda place: place.tidy(),
    ],
)
def test_no_file_is_touched_within_a_unit_of_work(place, act):
    with unit_of_work(), pytest.raises(UnitOfWorkMisuse):
        act(place)


def test_a_signed_link_serves_the_file_under_its_name(files_app, place):
    place.put("blobs/one", b"%PDF-1.7 content")
    url = place.signed_url(
        "blobs/one", expires_in_seconds=60, filename="számla 1.pdf", content_type="application/pdf", inline=False
    )
    status, headers, body = fetch(files_app, url)
    assert (status, body) == (200, b"%PDF-1.7 content")
    assert headers["Content-Type"] == "application/pdf"
    assert (
        headers["Content-Disposition"] == "attachment; filename=\"sz_mla 1.pdf\"; filename*=UTF-8''sz%C3%A1mla%201.pdf"
    )


def test_a_range_of_an_object_can_be_asked_for(files_app, place):
    place.put("blobs/one", LARGE)
    url = place.signed_url("blobs/one", expires_in_seconds=60, filename="a.mp4", content_type="video/mp4", inline=False)
    status, headers, body = fetch(files_app, url, {"Range": "bytes=256-511"})
    assert (status, body) == (206, bytes(range(256)))
    assert headers["Content-Range"] == f"bytes 256-511/{len(LARGE)}"


def test_a_public_object_has_a_stable_url_with_its_type_and_cache_rule(files_app, place):
    place.put("public/blobs/a.png", b"\x89PNG", content_type="image/png", cache_control="public, max-age=60")
    url = place.public_url("public/blobs/a.png")
    assert url == place.public_url("public/blobs/a.png")
    if place.name == "s3":
        # S3's own policy decides who reads without a signature; the object's headers are what counts here
        url = place.signed_url(
            "public/blobs/a.png", expires_in_seconds=60, filename="a.png", content_type="image/png", inline=True
        )
    status, headers, body = fetch(files_app, url)
    assert (status, body, headers["Content-Type"]) == (200, b"\x89PNG", "image/png")
    assert headers["Cache-Control"] == "public, max-age=60"


def test_what_is_not_public_has_no_public_url(place):
    with pytest.raises(ValueError, match="not public"):
        place.public_url("blobs/one")


def test_a_signed_upload_puts_the_file_into_place(files_app, place):
    body = b"hello world"
    target = place.signed_upload(
        "uploads/6b1f3b0e-0000-7000-8000-000000000000",
        expires_in_seconds=60,
        byte_size=len(body),
        sha256=hashlib.sha256(body).digest(),
        content_type="text/plain",
    )
    assert target.method == "PUT"
    if place.name == "disk":
        return  # the route asks for the ticket too: test_direct_uploads
    assert requests.put(target.url, data=body, headers=target.headers, timeout=10).status_code == 200
    assert read(place, "uploads/6b1f3b0e-0000-7000-8000-000000000000") == body
    for signed in ("content-length", "content-type", "x-amz-checksum-sha256"):
        assert signed in target.url.lower(), "S3 itself must refuse another length, type or content"


def test_a_folder_holds_named_files(files_app, place):
    files = folder("i18n", is_public=True)
    assert files.get("hu/current.json") is None
    files.put("hu/current.json", b"{}", content_type="application/json", cache_control="no-cache")
    files.put("hu/common.1.json", b'{"a":1}', content_type="application/json")
    files.put("de/current.json", b"{}")
    files.put("hu/current.json", b'{"new":1}', content_type="application/json", cache_control="no-cache")
    assert files.get("hu/current.json") == b'{"new":1}'
    assert files.has("hu/common.1.json")
    assert sorted(files.names()) == ["de/current.json", "hu/common.1.json", "hu/current.json"]
    assert sorted(files.names("hu/")) == ["hu/common.1.json", "hu/current.json"]
    assert files.url("hu/current.json").endswith("/public/folders/i18n/hu/current.json")
    files.delete("hu/common.1.json")
    files.tidy()
    assert not files.has("hu/common.1.json")
    with pytest.raises(ValueError, match="not public"):
        folder("notes").url("a.txt")


def test_a_folder_cannot_be_the_storages_own(files_app):
    with pytest.raises(ValueError, match="storage's own"):
        folder("blobs")


def test_readers_get_the_old_or_the_new_file_and_never_a_part_of_one(shelf):
    """An atomic replace, seen from a second thread that reads all the time."""
    with shelf("disk").app_context():
        place = storage().current
        place.put("public/folders/i18n/current.json", b"a" * 100_000)
        done, seen = threading.Event(), set()

        def watch() -> None:
            while not done.is_set():
                seen.add(place.path("public/folders/i18n/current.json").read_bytes())

        watcher = threading.Thread(target=watch)
        watcher.start()
        deadline = time.monotonic() + 10
        for letter in b"bcdefgh":
            place.put("public/folders/i18n/current.json", bytes([letter]) * 100_000)
        done.set()
        watcher.join(timeout=deadline - time.monotonic())
    assert seen <= {bytes([letter]) * 100_000 for letter in b"abcdefgh"}
