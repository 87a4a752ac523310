"""What tests with Node and a browser share: the packages that bin/test provides, and pages at an origin of their own."""

from __future__ import annotations

import http.server
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jiki_core.devserver.ports import free_port

#: what tests/cable/package.json names and the tests import
_PACKAGES = ("@rails/actioncable", "@anycable/core", "ws", "puppeteer-core", "yjs")


def find_node_modules() -> Path:
    """The folder of Node packages that bin/test provides; without it the test skips, in CI it fails."""
    folder = Path(os.environ.get("JIKI_NODE_MODULES", "nowhere"))
    if shutil.which("node") and all((folder / name / "package.json").is_file() for name in _PACKAGES):
        return folder
    reason = "Node or its packages are not there; bin/test provides them"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def served_pages(find: Callable[[str], Path]) -> Iterator[str]:
    """An origin whose paths are the files that `find` names."""

    class Pages(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            return str(find(path))

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()
