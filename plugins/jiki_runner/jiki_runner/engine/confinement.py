"""What the child process gives up before it runs anybody's code: a second wall behind the engines' own."""

from __future__ import annotations

import resource

from .limits import Limits


def confine(limits: Limits) -> None:
    """Set the limits that hold while the engine loads."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def confine_memory(allowance_bytes: int) -> None:
    pass
