"""Machine translation: the offline engine that copies, a service over HTTP, and which of them is asked."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Protocol

from jiki_core.contracts import ask
from jiki_core.db.unit_of_work import refuse_inside_unit
from jiki_i18n.contracts import TranslationEngine
from jiki_i18n.errors import EngineUnavailable
from jiki_i18n.icu import MessageSyntaxError
from jiki_i18n.machine_text import MarkersLost, copied, runs_of, with_runs
from jiki_i18n.settings import I18nSettings

#: runs of text sent in one call
BATCH_RUNS = 100
_ANSWER_LIMIT_BYTES = 16_000_000


class Engine(Protocol):
    """Whatever answers `TranslationEngine.translate`."""

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str] | None: ...


class HttpEngine:
    """A service: `POST {url}` with `{"source", "target", "texts": […]}` and a bearer token answers `{"texts": […]}`."""

    def __init__(self, settings: I18nSettings) -> None:
        self._settings = settings

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """Raises EngineUnavailable for anything but a complete answer."""
        refuse_inside_unit("asking a translation service")
        body = json.dumps({"source": source, "target": target, "texts": list(texts)}).encode()
        headers = {"Content-Type": "application/json"}
        if self._settings.engine_key:
            headers["Authorization"] = f"Bearer {self._settings.engine_key.reveal()}"
        request = urllib.request.Request(self._settings.engine_url, body, headers)  # the operator's own URL
        try:
            with urllib.request.urlopen(request, timeout=self._settings.engine_timeout_seconds) as response:
                answer = json.loads(response.read(_ANSWER_LIMIT_BYTES))
        except (urllib.error.URLError, TimeoutError, ValueError, OSError) as error:
            raise EngineUnavailable(reason=type(error).__name__) from error
        found = answer.get("texts") if isinstance(answer, dict) else None
        if not isinstance(found, list) or len(found) != len(texts) or not all(isinstance(one, str) for one in found):
            raise EngineUnavailable(reason="the answer does not hold one text for each")
        return found


def machine_translations(sources: Sequence[str], source: str, target: str, settings: I18nSettings) -> list[str | None]:
    """A translation of each ICU message, None where the engine lost a placeholder; outside any unit of work.

    Without a service and without a provider of `TranslationEngine` the text is copied, with the plural categories of
    the target. Raises EngineUnavailable.
    """
    engine: Engine = HttpEngine(settings) if settings.engine_url else ask(TranslationEngine)
    runs = [_runs_or_none(text, target) for text in sources]
    flat = [run for found in runs for run in found or ()]
    answers: list[str] = []
    for start in range(0, len(flat), BATCH_RUNS):
        translated = engine.translate(flat[start : start + BATCH_RUNS], source, target)
        if translated is None:
            return [
                copied(text, target) if found is not None else None for text, found in zip(sources, runs, strict=True)
            ]
        answers += translated
    made: list[str | None] = []
    position = 0
    for text, found in zip(sources, runs, strict=True):
        if found is None:
            made.append(None)
            continue
        try:
            made.append(with_runs(text, target, answers[position : position + len(found)]))
        except MarkersLost:
            made.append(None)
        position += len(found)
    return made


def _runs_or_none(text: str, target: str) -> list[str] | None:
    try:
        return runs_of(text, target)
    except MessageSyntaxError:
        return None
