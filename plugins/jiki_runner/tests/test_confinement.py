"""The walls around a child process, tried from inside: this is who broke out of an engine would be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these walls are Linux's")

PRISONER = """
import ctypes, json, os, resource, signal, socket, subprocess, sys, threading
sys.path[:0] = json.loads(sys.argv[1])
from jiki_runner.engine.confinement import confine, limit_resources
from jiki_runner.engine.limits import MEBIBYTE, Limits

folder, parent = sys.argv[2], int(sys.argv[3])
opened = os.open(folder, os.O_RDONLY)  # as the engine has it: what is above need not be readable
limit_resources(Limits(), os.getppid())
walls = confine(64 * MEBIBYTE, [folder])

def attempt():
ATTEMPT

try:
    result = attempt()
    told = ["done", repr(result)]
except BaseException as error:
    told = [type(error).__name__, str(error)]
print(json.dumps([walls, told]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "exercise"
    made.mkdir()
    (made / "leap.py").write_text("inside", "utf-8")
    made.chmod(0o777)  # so that nothing but the walls refuses
    (made / "leap.py").chmod(0o666)
    (tmp_path / "secret.txt").write_text("outside", "utf-8")
    (tmp_path / "secret.txt").chmod(0o666)
    tmp_path.chmod(0o777)
    return made


def told_by_prisoner(folder: Path, attempt: str) -> tuple[list[str], list[str]]:
    """What a confined process says of an attempt, in which `folder` and `parent` are known."""
    indented = "\n".join(f"    {line}" for line in attempt.splitlines())
    program = PRISONER.replace("ATTEMPT", indented)
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(sys.path), str(folder), str(os.getpid())],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode < 0:
        return [], ["killed", str(-done.returncode)]
    walls, told = json.loads(done.stdout.splitlines()[-1])
    return walls, told


def test_every_wall_stands_on_this_system(folder: Path) -> None:
    walls, _ = told_by_prisoner(folder, "return 1")
    assert {"resources", "user"} <= set(walls)
    if "files" not in walls or "system_calls" not in walls:
        pytest.skip(f"this kernel has only {walls}")


@pytest.mark.parametrize(
    ("attempt", "expected"),
    [
        ("return os.read(os.open('leap.py', os.O_RDONLY, dir_fd=opened), 9)", "done"),
        ("return os.listdir(opened)", "done"),
        ("thread = threading.Thread(target=int); thread.start(); thread.join()", "done"),
        ("return len(bytearray(16 << 20))", "done"),
        ("if os.getuid() == 0: raise PermissionError", "done"),
        ("return open('/etc/passwd').read()", "PermissionError"),
        ("return os.open('../secret.txt', os.O_RDONLY, dir_fd=opened)", "PermissionError"),
        ("return open('/proc/self/environ').read()", "PermissionError"),
        ("return open(f'/proc/{parent}/environ').read()", "PermissionError"),
        ("return os.listdir('/')", "PermissionError"),
        ("os.open('new.txt', os.O_CREAT | os.O_WRONLY, dir_fd=opened)", "PermissionError"),
        ("os.open('leap.py', os.O_WRONLY, dir_fd=opened)", "PermissionError"),
        ("os.open('leap.py', os.O_RDWR, dir_fd=opened)", "PermissionError"),
        ("os.open('leap.py', os.O_RDONLY | os.O_TRUNC, dir_fd=opened)", "PermissionError"),
        ("os.remove('leap.py', dir_fd=opened)", "PermissionError"),
        ("os.rename('leap.py', 'x', src_dir_fd=opened, dst_dir_fd=opened)", "PermissionError"),
        ("os.mkdir('x', dir_fd=opened)", "PermissionError"),
        ("os.rmdir('x', dir_fd=opened)", "PermissionError"),
        ("os.symlink('/etc', 'x', dir_fd=opened)", "PermissionError"),
        ("os.link('leap.py', 'x', src_dir_fd=opened, dst_dir_fd=opened)", "PermissionError"),
        ("os.chmod('leap.py', 0o777, dir_fd=opened)", "PermissionError"),
        ("os.chown('leap.py', -1, -1, dir_fd=opened)", "PermissionError"),
        ("os.utime('leap.py', dir_fd=opened)", "PermissionError"),
        ("os.truncate(folder + '/leap.py', 0)", "PermissionError"),
        ("os.mkfifo('x', dir_fd=opened)", "PermissionError"),
        ("os.chroot(folder)", "PermissionError"),
        ("socket.socket()", "PermissionError"),
        ("socket.socket(socket.AF_UNIX)", "PermissionError"),
        ("socket.socketpair()", "PermissionError"),
        ("os.fork()", "PermissionError"),
        ("subprocess.run(['true'])", "PermissionError"),
        ("os.execv('/bin/true', ['true'])", "PermissionError"),
        ("os.posix_spawn('/bin/true', ['true'], {})", "PermissionError"),
        ("os.kill(parent, 0)", "PermissionError"),
        ("os.killpg(0, 0)", "PermissionError"),
        ("os.setuid(0)", "PermissionError"),
        ("os.setgroups([0])", "PermissionError"),
        ("resource.setrlimit(resource.RLIMIT_DATA, (-1, -1))", "ValueError"),
        ("return len(bytearray(512 << 20))", "MemoryError"),
        ("return [os.dup(0) for _ in range(200)]", "OSError"),
    ],
)
def test_a_confined_process_can_do_this_and_not_that(folder: Path, attempt: str, expected: str) -> None:
    walls, told = told_by_prisoner(folder, attempt)
    if told[0] == "done" and expected != "done" and not {"files", "system_calls"} <= set(walls):
        pytest.skip(f"this kernel has only {walls}")
    assert told[0] == expected, told


#: name → number on x86-64 and on arm64
KERNEL_CALLS = {
    "ptrace": (101, 117),
    "unshare": (272, 97),
    "mount": (165, 40),
    "bpf": (321, 280),
    "keyctl": (250, 219),
    "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425),
}


@pytest.mark.parametrize("numbers", KERNEL_CALLS.values(), ids=KERNEL_CALLS)
def test_calls_into_the_kernel_itself_are_refused(folder: Path, numbers: tuple[int, int]) -> None:
    machine = os.uname().machine
    if machine not in ("x86_64", "aarch64"):
        pytest.skip(f"there is no filter for {machine}")
    number = numbers[machine == "aarch64"]
    attempt = f"""
libc = ctypes.CDLL(None, use_errno=True)
return libc.syscall({number}, 0, 0, 0, 0, 0), ctypes.get_errno()
"""
    walls, told = told_by_prisoner(folder, attempt)
    if "system_calls" not in walls:
        pytest.skip(f"this kernel has only {walls}")
    assert told == ["done", "(-1, 1)"]


def test_a_file_cannot_grow_even_through_an_open_descriptor(folder: Path) -> None:
    program = "descriptor = os.memfd_create('x')\nos.write(descriptor, b'x')"
    _, told = told_by_prisoner(folder, program)
    assert told[0] in ("OSError", "killed", "PermissionError"), told


def test_a_process_that_uses_too_much_time_is_ended(folder: Path) -> None:
    _, told = told_by_prisoner(folder, "resource.setrlimit(resource.RLIMIT_CPU, (1, 2))\nwhile True: pass")
    assert told == ["killed", "24"]
