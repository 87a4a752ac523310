"""Fixtures of tests that cross plugins."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from jiki_core.testing.databases import dispose, empty_valkey, truncate_all
from tests.browser_pages import find_node_modules
from tests.plugin_factory import PluginFolder


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The folder of Node packages; skips without it, fails in CI."""
    return find_node_modules()


@pytest.fixture
def made_plugins(tmp_path: Any) -> Iterator[PluginFolder]:
    """A folder of made-up plugins that this process can import."""
    folder = PluginFolder(tmp_path)
    sys.path.insert(0, str(tmp_path))
    yield folder
    sys.path.remove(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] in {f"acme_{one}" for one in folder.names}]:
        del sys.modules[name]
    importlib.invalidate_caches()


@pytest.fixture
def app_with(
    made_plugins: PluginFolder, make_app: Callable[..., Flask], services: Any
) -> Iterator[Callable[..., Flask]]:
    """`app_with(**settings)`: an app that loads the made-up plugins (and `also`), on an empty database of the core."""
    empty_valkey(services)
    made: list[Flask] = []

    def build(*also: str, **settings: str) -> Flask:
        importlib.invalidate_caches()
        app = make_app(tuple(also), {"JIKI_PLUGINS_ENABLED": ",".join((*also, *made_plugins.names)), **settings})
        made.append(app)
        return app

    yield build
    for app in made:
        app.extensions["jiki.gate"].watcher.stop()
        truncate_all(app)
        dispose(app)
