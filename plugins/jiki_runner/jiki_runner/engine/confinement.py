"""What the child process gives up before it runs anybody's code: a second wall behind the engines' own.

A program that broke out of its engine would find a process without rights: no files but its exercise, no
network, no other programs, no memory to fill. Each wall is put up where the system has it; `confine` says
which ones stand.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Sequence
from enum import StrEnum

from .file_access import allow_reading_only
from .limits import Limits
from .system_calls import forbid_system_calls

#: The user that a child of root becomes: nobody, by the convention of every system we know.
NOBODY = 65534
#: Descriptors: standard streams, the exercise's folders, the engine's own pipes.
MAXIMUM_DESCRIPTORS = 64
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38


class Wall(StrEnum):
    """What holds a child process besides its engine."""

    RESOURCES = "resources"  #: rlimits: memory, computing time, descriptors, no file can grow
    USER = "user"  #: it is not root
    FILES = "files"  #: Landlock: nothing can be opened but the exercise, and that only for reading
    SYSTEM_CALLS = "system_calls"  #: seccomp: no sockets, no processes, no changes to files


def limit_resources(limits: Limits, parent: int) -> None:
    """Set what holds from the first moment, loading the engine included; die with the process `parent`."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAXIMUM_DESCRIPTORS, MAXIMUM_DESCRIPTORS))
    _die_with_parent(parent)


def confine(growth_bytes: int, readable_folders: Sequence[str]) -> list[Wall]:
    """Put up all walls, for good: at most `growth_bytes` more memory, only `readable_folders` to open.

    Called when the engine is loaded, as loading needs files and what the engine has reserved is not to be
    counted.
    """
    walls = [Wall.RESOURCES]
    data = _data_bytes()
    if data:
        resource.setrlimit(resource.RLIMIT_DATA, (data + growth_bytes, data + growth_bytes))
    if sys.platform == "darwin":
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))  # counts processes there; on Linux it would count threads
    if sys.platform == "linux":
        _control_process(_PR_SET_NO_NEW_PRIVS, 1)
        if allow_reading_only(readable_folders):  # while this user can still open them
            walls.append(Wall.FILES)
    if os.geteuid() == 0:
        parent = os.getppid()
        os.setgroups([])
        os.setgid(NOBODY)  # of root's, these change the real and the saved ids as well
        os.setuid(NOBODY)
        _die_with_parent(parent)  # changing the user has cleared it
    walls.append(Wall.USER)
    if forbid_system_calls():
        walls.append(Wall.SYSTEM_CALLS)
    return walls


def _data_bytes() -> int:
    """What RLIMIT_DATA counts of this process now; 0 where the system does not say."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as opened:
            for line in opened:
                if line.startswith("VmData:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def _die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when the supervisor's thread ends, however it ends."""
    if sys.platform == "linux":
        _control_process(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we asked
        os._exit(1)


def _control_process(option: int, argument: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, argument, 0, 0, 0)
