"""What a plugin's own code did wrong, as a state with a cause and a remedy; and where it did."""

from __future__ import annotations

import traceback
from collections.abc import Sequence

from jiki_core.plugins.state import PluginState, Problem


def invalid(mistakes: Sequence[str], distribution: str) -> Problem:
    """Its manifest, its contributions or its files are wrong: for its authors to mend."""
    return Problem(
        PluginState.INVALID,
        "; ".join(mistakes),
        f"report it to the authors of {distribution}, or correct it there",
    )


def import_failed(target: str, name: str, distribution: str, error: BaseException) -> Problem:
    """The module that its entry point names could not be imported."""
    return Problem(
        PluginState.IMPORT_FAILED,
        f"importing {target} raised {type(error).__name__}: {error}{last_place(error)}",
        f"repair or reinstall {distribution}, or take {name} out of [plugins] enabled",
    )


def hook_failed(hook: str, name: str, distribution: str, error: Exception) -> Problem:
    """A hook that makes it ready to serve raised."""
    return Problem(
        PluginState.CONFIGURE_FAILED,
        f"{hook} raised {type(error).__name__}: {error}{last_place(error)}",
        f"correct the settings of {name}, or report it to the authors of {distribution}",
    )


def last_place(error: BaseException) -> str:
    """` (file, line N)` of where an exception came from, the import machinery left out; empty when nobody knows."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({error.filename}, line {error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "importlib" not in frame.filename]
    return f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
