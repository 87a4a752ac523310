"""bin/_bootstrap: nothing to do when nothing changed, and a plain word when Python is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE_IT = 'set -euo pipefail; source "$1"; echo "$python"'


def bootstrap(root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", SOURCE_IT, "bash", str(root / "bin" / "_bootstrap")],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def checkout(tmp_path: Path) -> Path:
    """A checkout without an environment, with the files that one is made from."""
    (tmp_path / "bin").mkdir()
    for name in ("_bootstrap", "bootstrap.py", "bootstrap.txt"):
        shutil.copy(ROOT / "bin" / name, tmp_path / "bin")
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "plugins" / "jiki_i18n", tmp_path / "plugins" / "jiki_i18n")
    return tmp_path


def test_an_environment_that_is_current_is_left_alone(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "bin" / "python").symlink_to("/bin/sh")
    sources = [root / "bin/bootstrap.txt", root / "requirements.txt", root / "pyproject.toml"]
    sources.append(root / "plugins/jiki_i18n/pyproject.toml")
    (root / ".venv" / "made-from").write_bytes(
        f"{root.resolve()}\n".encode() + b"".join(path.read_bytes() for path in sources)
    )
    done = bootstrap(root, PATH=_path_without_python(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{root.resolve()}/.venv/bin/python\n", "")

    (root / "requirements.txt").write_text("changed")
    assert bootstrap(root, PATH=_path_without_python(tmp_path)).returncode == 1


def test_a_missing_python_is_said_in_one_sentence_with_the_remedy(tmp_path: Path) -> None:
    done = bootstrap(checkout(tmp_path), PATH=_path_without_python(tmp_path))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "Python 3.11 or newer was not found on PATH.",
        "  remedy: install it from your system's packages or python.org, then run this command again",
    ]


def test_a_step_that_fails_is_named_with_a_remedy_and_tried_again_next_time(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    (root / "bin" / "bootstrap.txt").write_text("no-such-distribution-of-ours==1 --hash=sha256:" + "0" * 64 + "\n")
    for _ in range(2):
        done = bootstrap(root, PIP_NO_INDEX="1", PIP_CONFIG_FILE=os.devnull)
        assert done.returncode == 1
        assert "this step failed:" in done.stderr
        assert "remedy: see the lines above" in done.stderr
    assert not (root / ".venv" / "made-from").exists()


def _path_without_python(tmp_path: Path) -> str:
    """A PATH with the few system commands the script needs."""
    folder = tmp_path / "path"
    folder.mkdir(exist_ok=True)
    for name in ("bash", "cat", "cmp", "dirname"):
        found = shutil.which(name)
        assert found
        if not (folder / name).exists():
            (folder / name).symlink_to(found)
    return str(folder)
