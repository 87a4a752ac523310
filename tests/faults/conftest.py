"""The laboratory with processes of its own, on servers that may be broken."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from jiki_core.runtime import runtime_of
from tests.faults.processes import Supervisor, supervised
from tests.faults.proxy import Proxy, proxy_to
from tests.laboratory_fixtures import Laboratory, lab, lab_app, lab_folder

__all__ = ["lab", "lab_app", "lab_folder"]


@pytest.fixture
def seeded() -> random.Random:
    """The run's own dice; JIKI_TEST_SEED repeats a run."""
    seed = int(os.environ.get("JIKI_TEST_SEED") or random.randrange(1 << 30))
    print(f"JIKI_TEST_SEED={seed}")
    return random.Random(seed)


def environment_of(lab: Laboratory, **more: str) -> dict[str, str]:
    """The environment of a process on the laboratory's services."""
    settings = runtime_of(lab.app).settings
    return lab.folder.environment(
        **{
            "DATABASE_URL": settings.database_url.reveal(),
            "REDIS_URL": settings.redis_url.reveal(),
            "JIKI_MAIL_SMTP_URL": settings.mail_smtp_url.reveal(),
            "JIKI_JOB_LEASE_SECONDS": "5",  # test_badge_job keeps the product's own
            **more,
        }
    )


def through(proxy: Proxy, url: str) -> str:
    """The URL with the proxy in front."""
    parts = urlsplit(url)
    credentials = parts.netloc.rpartition("@")[0]
    return urlunsplit(
        parts._replace(netloc=f"{credentials}@127.0.0.1:{proxy.port}" if credentials else f"127.0.0.1:{proxy.port}")
    )


def address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


@pytest.fixture
def supervisor(lab: Laboratory) -> Iterator[Supervisor]:
    """Processes on the laboratory's services, without a proxy."""
    with supervised(lab.folder.path, environment_of(lab)) as one:
        yield one


@pytest.fixture
def database_proxy(lab: Laboratory) -> Iterator[Proxy]:
    with proxy_to(*address(runtime_of(lab.app).settings.database_url.reveal())) as proxy:
        yield proxy


@pytest.fixture
def lab_behind_proxy(lab: Laboratory, database_proxy: Proxy, make_app: Any) -> Laboratory:
    """The laboratory's app, whose database connections go through `database_proxy`."""
    url = through(database_proxy, runtime_of(lab.app).settings.database_url.reveal())
    app = make_app((), {"JIKI_PLUGINS_ENABLED": "lab", "DATABASE_URL": url})
    return Laboratory(app, lab.folder)
