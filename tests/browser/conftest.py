"""What a browser test needs: the Node packages that bin/test provides, pages at an origin of their own, a way to run a script."""

from __future__ import annotations

import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from jiki_core.devserver.ports import free_port

HERE = Path(__file__).parent


@pytest.fixture
def node_modules() -> Path:
    """The folder of Node packages that bin/test provides; without it the test skips, in CI it fails."""
    folder = Path(os.environ.get("JIKI_NODE_MODULES", "nowhere"))
    if shutil.which("node") and (folder / "puppeteer-core").is_dir():
        return folder
    reason = "Node or its packages are not there; bin/test provides them"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def serve_pages(node_modules: Path) -> Iterator[Callable[[Mapping[str, str]], str]]:
    """`serve_pages({"/name.js": "path in node_modules"})` → origin; every other path is page.html."""
    running: list[tuple[http.server.ThreadingHTTPServer, threading.Thread]] = []

    def serve(scripts: Mapping[str, str]) -> str:
        class Pages(http.server.SimpleHTTPRequestHandler):
            def translate_path(self, path: str) -> str:
                script = scripts.get(path)
                return str(node_modules / script) if script else str(HERE / "page.html")

            def log_message(self, *arguments: object) -> None:
                """Quiet."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Pages)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        running.append((server, thread))
        return f"http://localhost:{server.server_address[1]}"

    yield serve
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def run_script(node_modules: Path, tmp_path: Path) -> Callable[..., str]:
    """`run_script("name.mjs", *arguments)`: its output, once it has ended with 0."""

    def run(name: str, *arguments: str) -> str:
        folder = tmp_path / "scripts"
        folder.mkdir(exist_ok=True)
        script = Path(shutil.copy(HERE / name, folder))
        if not (folder / "node_modules").exists():
            (folder / "node_modules").symlink_to(node_modules)  # where Node looks for a module's imports
        done = subprocess.run(
            ["node", str(script), *arguments], capture_output=True, text=True, timeout=180, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
