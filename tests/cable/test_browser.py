"""A headless Chromium with @rails/actioncable, on a page that may open sockets and on one that may not (issue F)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser_pages import served_pages

HERE = Path(__file__).parent


@pytest.fixture
def page_origin(node_modules: Path) -> Iterator[str]:
    """Serves a page and the client's script on the machine's own name, so that the cable's cookie is the page's, too."""
    script = node_modules / "@rails/actioncable/app/assets/javascripts/actioncable.js"
    with served_pages(lambda path: script if path == "/actioncable.js" else HERE / "page.html") as origin:
        yield origin


def _run(page_origin: str, stage: Any, node_modules: Path, folder: Path, *, allowed: str) -> str:
    shutil.copy(HERE / "browser.mjs", folder)
    (folder / "node_modules").symlink_to(node_modules)
    cable, http_url = f"ws://localhost:{stage.port}/cable", f"http://127.0.0.1:{stage.port}"
    done = subprocess.run(
        ["node", "browser.mjs", f"{page_origin}/", cable, http_url, allowed],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.browser
@pytest.mark.timeout(180)
def test_a_page_that_is_allowed_hears_everything(
    page_origin: str, make_stage: Any, node_modules: Path, tmp_path: Path
) -> None:
    stage = make_stage(STAGE_ORIGIN=page_origin)
    assert "all steps passed" in _run(page_origin, stage, node_modules, tmp_path, allowed="yes")


@pytest.mark.browser
@pytest.mark.timeout(180)
def test_a_foreign_page_is_refused_with_cookie_and_with_token(
    page_origin: str, make_stage: Any, node_modules: Path, tmp_path: Path
) -> None:
    stage = make_stage()
    assert "all steps passed" in _run(page_origin, stage, node_modules, tmp_path, allowed="no")
    assert stage.state()["connections"] == 0
    assert '" 403 ' in stage.printed()
