"""Waiting for something that another thread or process does: on the condition, with a deadline, never by the clock alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], *, seconds: float = 20.0, what: str = "the condition") -> T:
    """The first truthy value of `condition`; raises AssertionError when none came in time."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds:g} s")
        time.sleep(0.02)  # between two looks at the condition
