"""What a browser test needs: pages at an origin of their own, and a way to run a script."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.browser_pages import served_pages

HERE = Path(__file__).parent


@pytest.fixture
def serve_pages(node_modules: Path) -> Iterator[Callable[[Mapping[str, str]], str]]:
    """`serve_pages({"/name.js": "path in node_modules"})` → origin; every other path is page.html."""
    with ExitStack() as running:

        def serve(scripts: Mapping[str, str]) -> str:
            def find(path: str) -> Path:
                return node_modules / scripts[path] if path in scripts else HERE / "page.html"

            return running.enter_context(served_pages(find))

        yield serve


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
