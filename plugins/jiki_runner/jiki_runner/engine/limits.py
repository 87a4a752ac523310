"""How much a run may use, and the names of what it can run into."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MEBIBYTE = 1024 * 1024


class Limit(StrEnum):
    """What a run was stopped by, or what cut something of it. Stored and sent: values are never renamed."""

    WALL_CLOCK = "wall_clock"
    CPU = "cpu"
    MEMORY = "memory"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one run, all tests together.

    The number of processes is not among them because it is fixed: a run has one process and can start no
    other.
    """

    #: From loading the first test file to the last result. Starting the engine is not counted.
    wall_clock_seconds: float = 10.0
    #: Of the whole child process, engine included (starting it takes about half a second).
    cpu_seconds: int = 12
    #: Of the solution's interpreter; the tests' one has as much again.
    memory_bytes: int = 128 * MEBIBYTE
    #: Kept of what the solution prints, in UTF-8, over the whole run; the rest is dropped.
    output_bytes: int = 64 * 1024

    def __post_init__(self) -> None:
        if not 0 < self.wall_clock_seconds <= 600:
            raise ValueError(f"wall_clock_seconds must be above 0 and at most 600, not {self.wall_clock_seconds}")
        if not 1 <= self.cpu_seconds <= 600:
            raise ValueError(f"cpu_seconds must be between 1 and 600, not {self.cpu_seconds}")
        if not 48 * MEBIBYTE <= self.memory_bytes <= 2048 * MEBIBYTE:
            raise ValueError(f"memory_bytes must be between 48 MiB and 2 GiB, not {self.memory_bytes}")
        if not 0 <= self.output_bytes <= 16 * MEBIBYTE:
            raise ValueError(f"output_bytes must be between 0 and 16 MiB, not {self.output_bytes}")
