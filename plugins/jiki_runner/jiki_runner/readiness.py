"""Says at boot which engines are missing; a process without one runs nothing of its language."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jiki_core.observability import get_logger
from jiki_runner.engine import EngineUnavailable, Language, find_engine
from jiki_runner.settings import RunnerSettings

log = get_logger(__name__)


def missing_engines(settings: RunnerSettings) -> Mapping[str, EngineUnavailable]:
    """Language → why it cannot be run here."""
    missing: dict[str, EngineUnavailable] = {}
    for language in settings.languages:
        try:
            find_engine(Language(language), Path(settings.engine_directory).absolute())
        except EngineUnavailable as error:
            missing[language] = error
    return missing


def report_missing_engines(settings: RunnerSettings) -> None:
    """One warning per language, with the remedy. Only workers of the queue `untrusted` need engines.

    Raises ValueError for a language that no engine is made for.
    """
    known = tuple(one.value for one in Language)
    if unknown := [one for one in settings.languages if one not in known]:
        raise ValueError(f"languages names {', '.join(unknown)}; there are engines for {', '.join(known)}")
    for language, error in missing_engines(settings).items():
        log.warning("runner_has_no_engine", language=language, reason=error.reason, remedy=error.remedy)
