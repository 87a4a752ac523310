"""S3 away, slow or answering in part, and a full disk: file routes say so, nothing is lost or half kept (trust.md section 4)."""

from __future__ import annotations

import hashlib
import http.server
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from flask import Flask
from sqlalchemy import func, select

from jiki_auth.models import User
from jiki_auth.testing import make_user, signed_in
from jiki_core.db import reading, unit_of_work
from jiki_core.db.outbox import OutboxEntry, OutboxState
from jiki_core.storage import attach, detach, open_file, store
from jiki_core.storage.errors import StorageUnavailable
from jiki_core.storage.models import Blob
from jiki_core.storage.storage import storage
from jiki_core.storage.sweeps import sweep_files
from jiki_core.testing import ApiClient, drain_outbox
from tests.storage.samples import PDF, png


class FaultyS3(http.server.ThreadingHTTPServer):
    """Passes everything on to the real one, unless told to fail."""

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = behind
        #: "", "503", "silence", "part" or "lost_answer"
        self.fault = ""
        self.is_over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: FaultyS3

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.fault
        if fault == "silence":
            self.server.is_over.wait(20)
            self.close_connection = True
            return
        if fault == "503":
            self._send(503, {}, b"<Error><Code>ServiceUnavailable</Code></Error>")
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        found = requests.request(self.command, self.server.behind + self.path, data=body, headers=headers, timeout=10)
        if fault == "lost_answer" and self.command == "PUT":
            self._send(503, {}, b"<Error><Code>ServiceUnavailable</Code></Error>")
        elif fault == "part" and self.command == "GET":
            self._send(found.status_code, dict(found.headers), found.content[:-5], length=len(found.content))
            self.close_connection = True
        else:
            self._send(found.status_code, dict(found.headers), found.content)

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST = _answer

    def _send(self, status: int, headers: dict[str, str], body: bytes, *, length: int | None = None) -> None:
        self.send_response(status)
        told = headers.pop("Content-Length", None) if self.command == "HEAD" else None
        for name, value in headers.items():
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "content-encoding", "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", told or str(length if length is not None else len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def faulty(s3_url: str) -> Iterator[FaultyS3]:
    server = FaultyS3(s3_url)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.is_over.set()
    server.shutdown()
    thread.join(timeout=10)
    server.server_close()


@pytest.fixture
def app(shelf, faulty) -> Iterator[Flask]:
    further = {"JIKI_STORAGE_S3_ENDPOINT_URL": faulty.url, "JIKI_STORAGE_S3_TIMEOUT_SECONDS": "0.3"}
    app = shelf("s3", **further)
    with app.app_context():
        yield app
    faulty.fault = ""


@pytest.fixture
def user(app):
    return make_user(app)


def keep(user_id: int):
    staged = store("shelf.paper", PDF, filename="a.pdf", user_id=user_id)
    with unit_of_work() as uow:
        return attach(uow, staged, User, user_id, name="paper")


def keys() -> set[str]:
    return {found.key for found in storage().current.list()}


@pytest.mark.parametrize("fault", ["503", "silence", "lost_answer"])
def test_a_file_that_cannot_be_kept_is_refused_and_leaves_no_row(app, user, faulty, fault):
    faulty.fault = fault
    with pytest.raises(StorageUnavailable) as refused:
        keep(user.id)
    assert (refused.value.status, refused.value.symbol) == (503, "storage_unavailable")
    assert reading().execute(select(func.count()).select_from(Blob)).scalar_one() == 0
    faulty.fault = ""
    assert len(keys()) == (1 if fault == "lost_answer" else 0), "an object whose answer was lost is the sweep's"


@pytest.mark.parametrize("fault", ["503", "silence", "part"])
def test_a_file_that_cannot_be_read_whole_is_an_error_and_never_a_shorter_file(app, user, faulty, fault):
    kept = keep(user.id)
    faulty.fault = fault
    with pytest.raises(StorageUnavailable), open_file(kept) as file:
        file.read()


def test_everything_else_goes_on_while_storage_is_away(app, user, faulty):
    faulty.fault = "503"
    client = signed_in(app, user)
    client.get("internal/me").expect(200)
    told = {"kind": "shelf.paper", "filename": "a.pdf", "byte_size": 9, "sha256": hashlib.sha256(b"x").hexdigest()}
    client.post("internal/uploads", {"upload": told}).expect(201)


def test_a_route_that_needs_storage_says_so(app, user, faulty):
    client = signed_in(app, user)
    faulty.fault = "503"
    part = (
        b'--cut\r\nContent-Disposition: form-data; name="avatar"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    )
    body = {"data": part + png(8, 8) + b"\r\n--cut--\r\n", "content_type": "multipart/form-data; boundary=cut"}
    refused = client.call("PUT", "internal/profile/avatar", **body).expect(503, "storage_unavailable")
    assert refused.headers["Retry-After"] == "1"
    faulty.fault = ""
    shown = client.call("PUT", "internal/profile/avatar", **body).expect(200).body["profile"]["avatar_url"]
    assert shown.startswith(faulty.url)


def test_a_deletion_that_storage_refuses_now_is_done_later(app, user, faulty):
    kept = keep(user.id)
    faulty.fault = "503"
    with unit_of_work() as uow:
        detach(uow, User, user.id)
    drain_outbox(app)
    faulty.fault = ""
    assert keys() == {kept.key}
    drain_outbox(app, including_later=True)
    assert keys() == set()


@pytest.mark.parametrize("fault", ["503", "silence"])
def test_a_sweep_that_storage_breaks_off_deletes_nothing_wrongly(app, user, faulty, fault):
    kept = keep(user.id)
    faulty.fault = fault
    with unit_of_work() as uow:
        uow.enqueue(sweep_files)
    drain_outbox(app)
    states = reading().scalars(select(OutboxEntry.state).where(OutboxEntry.name == "core.sweep_files")).all()
    assert states == [OutboxState.NEW], "it is tried again"
    faulty.fault = ""
    drain_outbox(app, including_later=True)
    assert keys() == {kept.key}


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """No file of this process can grow beyond `room` bytes meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


FULL = """
    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        blp = Blueprint("full", __name__, url_prefix="/full")

        @blp.route("")
        @policy(public)
        def index():
            import errno
            raise OSError(errno.ENOSPC, "No space left on device")

        return [Mount(blp, "external")]
"""


def test_a_disk_that_is_full_before_a_view_can_tell_is_507_too(made_plugins, app_with):
    """As when a large form waits on the disk while it is read."""
    made_plugins.add("full", FULL)
    ApiClient(app_with()).get("external/full").expect(507, "storage_full")


def test_a_full_disk_is_507_and_the_next_request_is_fine(shelf):
    app = shelf("disk")
    body = b"y" * 90_000
    owner = signed_in(app, make_user(app))
    told = {
        "kind": "shelf.paper",
        "filename": "a.txt",
        "byte_size": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    issued = owner.post("internal/uploads", {"upload": told}).expect(201).body["upload"]
    path = issued["url"].removeprefix("http://localhost:3060")
    with full_disk(10_000):
        ApiClient(app).call("PUT", path, data=body).expect(507, "storage_full")
    with app.app_context():
        assert [path for path in storage().disk.root.rglob("*") if path.is_file() and path.stat().st_size] == []
    ApiClient(app).call("PUT", path, data=body).expect(204)
