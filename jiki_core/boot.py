"""What an entry point wraps around its imports and `create_app`. Imports nothing of ours, so that it can come first."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_at_rest(*, for_good: bool = False) -> Iterator[None]:
    """No garbage is looked for: a boot makes hundreds of thousands of objects that stay, and going through them again and
    again takes a quarter of it.

    `for_good` is for a process that serves: what stands at the end is never gone through, neither now nor by every full
    collection in the middle of some request. Of it 1 % is garbage, which is kept then.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        if for_good:
            gc.freeze()
    finally:
        if was_enabled:
            gc.enable()
