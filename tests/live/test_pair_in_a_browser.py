"""Two windows of a headless Chromium work on one exercise, against a running stack with the runner."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jiki_runner.engine import Language, prepare_engine
from tests.browser_pages import served_pages
from tests.live.typists import CLIENT, HERE
from tests.system.conftest import running_stack


@pytest.fixture
def page(node_modules: Path) -> Iterator[str]:
    """The URL of pair.html, at an origin of its own; modules come from node_modules, as a bundler would find them."""

    def find(path: str) -> Path:
        if path == "/collaboration.mjs":
            return CLIENT
        if path.startswith("/node_modules/"):
            file = node_modules / path.removeprefix("/node_modules/")
            return file if file.is_file() else file.with_name(f"{file.name}.js")
        return HERE / "pair.html"

    with served_pages(find) as origin:
        yield origin


@pytest.mark.browser
@pytest.mark.timeout(280)
def test_two_learners_in_two_windows(page, node_modules, tmp_path):
    script = Path(shutil.copy(HERE / "pair_in_a_browser.mjs", tmp_path))
    (tmp_path / "node_modules").symlink_to(node_modules)
    engines = tmp_path / "engines"
    prepare_engine(Language.JAVASCRIPT, engines)  # from its wheel; nothing is fetched
    settings = {
        "JIKI_CORS_ORIGINS": page,
        "JIKI_FRONTEND_URL": page,
        "JIKI_PLUGINS_ENABLED": "auth,learning,payments,i18n,runner",
        "JIKI_RUNNER_ENGINE_DIRECTORY": str(engines),
    }
    with running_stack(tmp_path / "stack", "together", **settings) as stack:
        done = subprocess.run(
            ["node", str(script), f"{page}/", stack.origin, stack.cable_url],
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all steps passed" in done.stdout
