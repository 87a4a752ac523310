"""Apps on each driver, with a few kinds of files."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping

import pytest
from flask import Flask

from jiki_core.errors import DomainError
from jiki_core.runtime import runtime_of
from jiki_core.storage import FileKind
from jiki_core.storage.storage import storage_of
from jiki_core.testing.databases import truncate_all

KINDS = {
    "shelf.picture": FileKind("picture", 200_000, ("image/png", "image/webp"), is_public=True),
    "shelf.paper": FileKind("paper", 100_000, ("application/pdf", "text/plain", "application/zip", "image/png")),
    "shelf.inner": FileKind("inner", 100_000, ("text/plain",), is_direct=False),
    "shelf.guarded": FileKind("guarded", 100_000, ("text/plain",), permission="core.administer"),
}


@pytest.fixture(scope="session")
def s3_url(object_storage: Mapping[str, str]) -> str:
    """Where the S3 of the tests answers."""
    return object_storage["JIKI_STORAGE_S3_ENDPOINT_URL"]


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
                settings.update(request.getfixturevalue("object_storage"))
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
