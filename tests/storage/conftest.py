"""Apps on each driver, with a few kinds of files, and a real S3 over HTTP (moto's server, in a thread)."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator

import boto3
import pytest
from flask import Flask

from jiki_core.errors import DomainError
from jiki_core.runtime import runtime_of
from jiki_core.storage import FileKind
from jiki_core.storage.storage import storage_of
from jiki_core.testing.databases import truncate_all

BUCKET = "jiki-test-files"
KINDS = {
    "shelf.picture": FileKind("picture", 200_000, ("image/png", "image/webp"), is_public=True),
    "shelf.paper": FileKind("paper", 100_000, ("application/pdf", "text/plain", "application/zip", "image/png")),
    "shelf.inner": FileKind("inner", 100_000, ("text/plain",), is_direct=False),
    "shelf.guarded": FileKind("guarded", 100_000, ("text/plain",), permission="core.administer"),
}


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """Where the S3 of the tests answers; it has one bucket."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        boto3.client("s3", endpoint_url=url, region_name="us-east-1").create_bucket(Bucket=BUCKET)
        yield url
    server.stop()


@pytest.fixture(scope="session")
def shelves(
    request: pytest.FixtureRequest, make_app: Callable[..., Flask], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Flask]:
    """Apps by driver and settings, each made once."""
    made: dict[tuple[object, ...], Flask] = {}

    def make(driver: str, **further: str) -> Flask:
        key = (driver, *sorted(further.items()))
        if key not in made:
            settings = {"JIKI_STORAGE_DIR": str(tmp_path_factory.mktemp("files")), "JIKI_STORAGE_SERVICE": driver}
            if driver == "s3":
                settings["JIKI_STORAGE_S3_BUCKET"] = BUCKET
                settings["JIKI_STORAGE_S3_REGION"] = "us-east-1"
                settings["JIKI_STORAGE_S3_ENDPOINT_URL"] = request.getfixturevalue("s3_url")
            made[key] = make_app(("auth",), {**settings, **further})
            made[key].extensions["jiki.assembly"].file_kinds.update(KINDS)
        return made[key]

    return make


@pytest.fixture
def shelf(shelves: Callable[..., Flask]) -> Iterator[Callable[..., Flask]]:
    """`shelf("disk", JIKI_…="…")`: an app with auth and the kinds above. What the test leaves in it is removed."""
    used: list[Flask] = []

    def make(driver: str = "disk", **further: str) -> Flask:
        used.append(shelves(driver, **further))
        runtime_of(used[-1]).redis.flushdb()
        return used[-1]

    yield make
    for app in used:
        app.extensions["jiki.gate"].watcher.stop()  # it must not write while the tables are emptied
        truncate_all(app)
        with app.app_context():
            for place in storage_of(app).all():
                with contextlib.suppress(DomainError):  # a bucket that a test made up
                    for left in list(place.list()):
                        place.delete(left.key)


@pytest.fixture(params=["disk", "s3"])
def files_app(request: pytest.FixtureRequest, shelf: Callable[..., Flask]) -> Flask:
    """The same app on each driver."""
    return shelf(request.param)
