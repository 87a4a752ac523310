"""Makes or heals .venv: uv by pip, the hash-locked requirements by uv, then the project's own distributions.

Called by bin/_bootstrap with any Python 3.11 or newer; reads from standard input what the environment is to
be made from, and writes that to .venv/made-from when all is done. Safe to run twice at once and to interrupt.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"


class BootstrapFailed(Exception):
    """Carries the sentence for the user."""


def main() -> int:
    """The exit status; messages go to standard error, which leaves standard output to the command itself."""
    wanted = sys.stdin.buffer.read()
    (ROOT / ".cache").mkdir(exist_ok=True)
    with (ROOT / ".cache" / "bootstrap.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another bootstrap of this checkout")
            fcntl.flock(lock, fcntl.LOCK_EX)
        made_from = VENV / "made-from"
        if PYTHON.exists() and made_from.exists() and made_from.read_bytes() == wanted:
            return 0
        try:
            made_from.unlink(missing_ok=True)
            make_environment()
        except BootstrapFailed as failure:
            print(failure, file=sys.stderr)
            return 1
        made_from.write_bytes(wanted)
    return 0


def make_environment() -> None:
    """From whatever .venv is now to a complete one."""
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    if not os.environ.get("HOME"):
        # Without a home, uv and pip would put their caches into the current folder or fail.
        environment |= {
            "UV_CACHE_DIR": str(ROOT / ".cache" / "uv"),
            "PIP_CACHE_DIR": str(ROOT / ".cache" / "pip"),
        }
    if not is_usable():
        say("making .venv")
        made = run([sys.executable, "-m", "venv", "--clear", str(VENV)], environment, quietly=True)
        if made.returncode:
            raise BootstrapFailed(
                f"{sys.executable} can't make a virtual environment:\n{made.stdout}\n"
                "  remedy: install its venv module (Debian and Ubuntu: the package python3-venv)"
            )
    say("installing uv")
    pinned = ["--quiet", "--no-deps", "--require-hashes", "-r", str(ROOT / "bin" / "bootstrap.txt")]
    must([PYTHON, "-m", "pip", "install", *pinned], environment)
    say("installing the locked requirements (about a minute when nothing is cached)")
    locked = ["--require-hashes", "-r", str(ROOT / "requirements.txt")]
    quickly = ["--quiet", "--compile-bytecode"]  # else the first processes all compile the same modules
    if run([UV, "pip", "install", *quickly, "--python", PYTHON, *locked], environment).returncode:
        say("uv could not; trying pip, which has a configuration of its own")
        must([PYTHON, "-m", "pip", "install", "--quiet", "--no-deps", *locked], environment)
    say("installing the project")
    own = [ROOT, *sorted(pyproject.parent for pyproject in ROOT.glob("plugins/*/pyproject.toml"))]
    # --no-sources: a folder in plugins/ that is no project (left by another branch) must not stop uv's workspace.
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-sources"]
    editable = [part for folder in own for part in ("-e", str(folder))]
    must([UV, "pip", "install", *options, "--python", PYTHON, *editable], environment)


def is_usable() -> bool:
    """Whether .venv is an environment of Python 3.11 or newer that was made at this place and has pip."""
    if not PYTHON.exists():
        return False
    question = "import sys, pip; print(sys.version_info >= (3, 11), sys.prefix)"
    asked = subprocess.run([PYTHON, "-c", question], capture_output=True, text=True, check=False)
    scripts_are_ours = (VENV / "bin" / "activate").is_file() and str(VENV) in (VENV / "bin" / "activate").read_text()
    return asked.returncode == 0 and asked.stdout.strip() == f"True {VENV}" and scripts_are_ours


def must(command: Sequence[str | Path], environment: dict[str, str]) -> None:
    """Run a step that everything after it needs."""
    if run(command, environment).returncode:
        raise BootstrapFailed(
            f"this step failed: {' '.join(map(str, command))}\n"
            "  remedy: see the lines above; a package index must be reachable, or configured for pip and uv"
        )


def run(
    command: Sequence[str | Path], environment: dict[str, str], *, quietly: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run one step; its output goes to standard error, or is kept when `quietly`."""
    return subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quietly else sys.stderr,
        stderr=subprocess.STDOUT if quietly else None,
        text=True,
        check=False,
    )


def say(message: str) -> None:
    """One progress line."""
    print(f"bootstrap: {message}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
