"""What a distribution says of a stand-in for an outside service: `bin/dev` runs it, so that payments, say, work without
an account there.

It is named under the entry point group `jiki.standins`, under the name of the plugin that needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

GROUP = "jiki.standins"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stand-in runs: it listens on 127.0.0.1:`port`, keeps its state in `folder`, and calls us at `public_url`."""

    port: int
    folder: Path
    public_url: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True, slots=True)
class StandIn:
    """One outside service's stand-in."""

    #: Shown before its log lines; its folder's name.
    name: str
    #: While the user's environment has this variable, the real service is used and we start nothing.
    replaced_by: str
    #: A module to run with `python -m`, and its arguments.
    module: str
    arguments: Callable[[Place], tuple[str, ...]]
    #: What all processes of the stack get, so that they use it.
    environment: Callable[[Place], Mapping[str, str]]
    #: Answers 200 once it runs.
    health_path: str
    #: For the newcomer's list of links; empty shows none.
    page_path: str = ""
