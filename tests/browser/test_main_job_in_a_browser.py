"""A headless Chromium at the front-end's origin signs up, signs in and completes a lesson against a running stack."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from jiki_core.devserver.ports import free_port
from tests.system.conftest import running_stack

HERE = Path(__file__).parent


@pytest.fixture
def node_modules():
    """The folder of Node packages that bin/test provides; without it the test skips, in CI it fails."""
    folder = Path(os.environ.get("JIKI_NODE_MODULES", "nowhere"))
    if shutil.which("node") and (folder / "puppeteer-core").is_dir():
        return folder
    reason = "Node or its packages are not there; bin/test provides them"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def front_end(node_modules):
    """A static server in the place of the front-end: our page and the client's script."""

    class Pages(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            if path.startswith("/actioncable.js"):
                return str(node_modules / "@rails/actioncable/app/assets/javascripts/actioncable.js")
            return str(HERE / "page.html")

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), functools.partial(Pages, directory=str(HERE)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.browser
@pytest.mark.timeout(240)
def test_the_main_job_in_a_browser(front_end, node_modules, tmp_path):
    with running_stack(
        tmp_path / "stack", "together", JIKI_CORS_ORIGINS=front_end, JIKI_FRONTEND_URL=front_end
    ) as stack:
        script = tmp_path / "main_job.mjs"
        shutil.copy(HERE / "main_job.mjs", script)
        (tmp_path / "node_modules").symlink_to(node_modules)
        done = subprocess.run(
            ["node", str(script), f"{front_end}/", stack.origin, stack.cable_url, f"{front_end}/actioncable.js"],
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all steps passed" in done.stdout
