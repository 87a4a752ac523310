"""Fixtures of i18n's tests: an app of i18n alone, with a doorman who believes a header."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from jiki_core.testing import ApiClient

DOORMAN = Path(__file__).parent / "doorman"
PLUGINS = ("i18n", "doorman")


@pytest.fixture(scope="session")
def doorman() -> Iterator[None]:
    """The test plugin is installed: its metadata and its package can be found."""
    sys.path.insert(0, str(DOORMAN))
    importlib.invalidate_caches()
    yield
    sys.path.remove(str(DOORMAN))


@pytest.fixture(scope="session")
def app(doorman: None, make_app: Callable[..., Flask], tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """i18n without auth, learning or payments."""
    return make_app(PLUGINS, {"JIKI_STORAGE_DIR": str(tmp_path_factory.mktemp("catalogues"))})


@pytest.fixture
def admin(db: Flask) -> ApiClient:
    """A client who may do everything."""
    return ApiClient(db, {"X-Doorman": "1 admin"})


@pytest.fixture
def translator(db: Flask) -> ApiClient:
    """A client with the role translator and no locale yet; user id 2."""
    return ApiClient(db, {"X-Doorman": "2 translator"})


@pytest.fixture
def production(doorman: None, make_app: Callable[..., Flask], tmp_path: Any) -> Flask:
    """The same plugins in production, on the same database."""
    return make_app(
        PLUGINS,
        {
            "JIKI_ENV": "production",
            "JIKI_SECRET_KEY": "a secret of tests that is long enough for production",
            "JIKI_PUBLIC_URL": "https://api.example.test",
            "JIKI_FRONTEND_URL": "https://www.example.test",
            "JIKI_STORAGE_DIR": str(tmp_path),
            "JIKI_I18N_LOCALE_STATES_TTL_SECONDS": "0",
        },
    )
