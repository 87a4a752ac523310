"""Folders of runs: what is in them, who may touch them, and that none stays."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from jiki_runner.engine.run_folder import RunFolder, UnsafeFolder, sweep


def test_a_folder_is_there_for_the_run_and_gone_after_it(tmp_path: Path) -> None:
    base = tmp_path / "runs"
    with RunFolder(base) as folder:
        half = folder.write("solution", {"leap.py": "x = 1\n"})
        assert (half / "leap.py").read_text("utf-8") == "x = 1\n"
        assert stat.S_IMODE((half / "leap.py").stat().st_mode) == 0o444
        assert stat.S_IMODE(half.stat().st_mode) == 0o555
        assert stat.S_IMODE(base.stat().st_mode) == 0o700
    assert list(base.glob("run-*")) == []


def test_a_run_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "runs")
    with contextlib.suppress(RuntimeError), folder:
        folder.write("solution", {"leap.py": ""})
        raise RuntimeError
    assert list((tmp_path / "runs").glob("run-*")) == []


def test_a_base_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    base = tmp_path / "runs"
    base.mkdir()
    base.chmod(0o777)
    with pytest.raises(UnsafeFolder, match="not this user's own"), RunFolder(base):
        pass


def test_a_base_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "runs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafeFolder), RunFolder(tmp_path / "runs"):
        pass


KILLED_WORKER = """
import os, pathlib, sys
from jiki_runner.engine.run_folder import RunFolder
with RunFolder(pathlib.Path(sys.argv[1])) as folder:
    folder.write("solution", {"leap.py": ""})
    os.kill(os.getpid(), 9)
"""


def test_the_folder_of_a_killed_worker_is_swept_and_those_in_use_are_not(tmp_path: Path) -> None:
    base = tmp_path / "runs"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", KILLED_WORKER, str(base)], env=environment, check=False, timeout=60)
    assert len(list(base.glob("run-*"))) == 1
    with RunFolder(base) as in_use:  # sweeps when it is made
        assert [path.name for path in base.glob("run-*")] == [in_use.path.name]
        assert sweep(base) == 0
        assert in_use.path.is_dir()


def test_sweeping_where_nothing_ever_ran_is_nothing(tmp_path: Path) -> None:
    assert sweep(tmp_path / "never") == 0
