"""The stack's processes: readable logs, restarted after a crash, and never outliving their owner."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jiki_core.devserver.lifelines import is_alive
from jiki_core.devserver.locks import FileLock
from jiki_core.devserver.processes import LogPrinter, ProcessGroup, Program
from jiki_core.devserver.reaper import Reaper

OWNER = """
import io, pathlib, sys
from jiki_core.devserver.locks import FileLock
from jiki_core.devserver.processes import LogPrinter, ProcessGroup, Program
from jiki_core.devserver.reaper import Reaper
folder = pathlib.Path(sys.argv[1])
lock = FileLock(folder / "stack.lock")
lock.try_exclusive()
group = ProcessGroup(LogPrinter(io.StringIO()), Reaper(lock.fileno()))
stubborn = group.start(Program("stubborn", ("sh", "-c", "trap '' TERM; sleep 60 & echo $!; wait; wait"), {}, folder))
while not stubborn.last_lines:
    pass
print(stubborn.pid, stubborn.last_lines[0], flush=True)
sys.stdin.read()
"""


def eventually(condition: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Whether `condition` becomes true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def group(tmp_path: Path, log: io.StringIO) -> Iterator[ProcessGroup]:
    """A group with a real reaper, all of whose processes are gone afterwards."""
    lock = FileLock(tmp_path / "stack.lock")
    assert lock.try_exclusive()
    reaper = Reaper(lock.fileno())
    group = ProcessGroup(LogPrinter(log), reaper)
    yield group
    group.stop()
    reaper.close()
    lock.release()


def shell(name: str, script: str, folder: Path) -> Program:
    return Program(name, ("sh", "-c", script), dict(os.environ), folder, stop_seconds=1)


def test_each_line_carries_the_name_of_its_process(group: ProcessGroup, log: io.StringIO, tmp_path: Path) -> None:
    group.run_to_end(shell("web", "echo one; echo two >&2", tmp_path))
    assert sorted(log.getvalue().splitlines()) == ["web       | one", "web       | two"]


def test_the_exit_status_of_a_step_is_known(group: ProcessGroup, tmp_path: Path) -> None:
    assert group.run_to_end(shell("step", "exit 3", tmp_path)).poll() == 3


def test_a_process_that_crashes_is_started_again(group: ProcessGroup, log: io.StringIO, tmp_path: Path) -> None:
    crashed = group.start(shell("web", "echo up; sleep 60", tmp_path))
    assert eventually(lambda: crashed.last_lines == ["up"])
    os.killpg(crashed.pid, signal.SIGKILL)

    def is_up_twice() -> bool:
        group.look_after()
        return log.getvalue().count("web       | up") == 2

    assert eventually(is_up_twice)
    assert "web ended (killed by SIGKILL); starting it again in 0.5 s" in log.getvalue()
    assert group.is_running("web")


def test_a_process_that_crashes_at_once_is_started_less_and_less_often(
    group: ProcessGroup, log: io.StringIO, tmp_path: Path
) -> None:
    group.start(shell("web", "exit 1", tmp_path))

    def has_waited_twice() -> bool:
        group.look_after()
        return "starting it again in 1 s" in log.getvalue()

    assert eventually(has_waited_twice)


def test_a_process_that_does_not_end_when_asked_is_killed_with_its_children(
    group: ProcessGroup, tmp_path: Path
) -> None:
    stubborn = group.start(shell("stubborn", "trap '' TERM; sleep 60 & echo $!; wait; wait", tmp_path))
    assert eventually(lambda: bool(stubborn.last_lines))
    group.stop()
    assert not is_alive(stubborn.pid)
    assert eventually(lambda: not is_alive(int(stubborn.last_lines[0])))


def test_candidates_take_over_or_vanish(group: ProcessGroup, tmp_path: Path) -> None:
    old = group.start(shell("web", "exec sleep 60", tmp_path))
    rejected = group.start_candidate(shell("web", "exec sleep 60", tmp_path))
    group.discard()
    assert (old.poll(), rejected.poll()) == (None, -signal.SIGKILL)
    taken = group.start_candidate(shell("web", "exec sleep 60", tmp_path))
    group.promote()
    assert (old.wait(), taken.poll()) == (-signal.SIGTERM, None)


def test_one_that_is_replaced_and_does_not_end_is_killed(group: ProcessGroup, tmp_path: Path) -> None:
    stubborn = group.start(shell("web", "trap '' TERM; echo up; while :; do sleep 0.1; done", tmp_path))
    assert eventually(lambda: bool(stubborn.last_lines))
    group.start_candidate(shell("web", "exec sleep 60", tmp_path))
    group.promote()

    def is_gone() -> bool:
        group.look_after()
        return not is_alive(stubborn.pid)

    assert eventually(is_gone)


def test_nothing_outlives_an_owner_that_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout
    pids = [int(pid) for pid in owner.stdout.readline().split()]
    lock = FileLock(tmp_path / "stack.lock")
    assert not lock.try_exclusive()
    owner.kill()
    owner.communicate()
    assert lock.wait_exclusive(15)  # the reaper holds it until its work is done
    assert not any(is_alive(pid) for pid in pids)
    lock.release()
