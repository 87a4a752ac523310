"""When a draft is to be checked: some moments after the last key, and now and then while somebody types on.

One thread per process, whatever the number of learners; it starts with the first edit, hence after a fork.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, current_app

from jiki_core.observability import get_logger
from jiki_learning.settings import LearningSettings

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Typist:
    """Who types what."""

    user_id: int
    lesson_id: int


class LiveChecks:
    """Edits come in, requests for checks come out. Thread-safe."""

    def __init__(
        self,
        request: Callable[[Typist], None],
        *,
        quiet_seconds: float,
        longest_wait_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
        has_thread: bool = True,
    ) -> None:
        """`request` asks for a check; it may take a moment, and an error in it is logged."""
        self._request = request
        self._quiet_seconds = quiet_seconds
        self._longest_wait_seconds = longest_wait_seconds
        self._monotonic = monotonic
        self._has_thread = has_thread
        self._changed = threading.Condition()
        self._requesting = threading.Lock()
        #: who → (since when they wait, when it is due)
        self._waiting: dict[Typist, tuple[float, float]] = {}
        self._process: int | None = None

    def edited(self, who: Typist) -> None:
        """Never waits."""
        now = self._monotonic()
        with self._changed:
            since, _ = self._waiting.get(who, (now, now))
            due = min(now + self._quiet_seconds, since + self._longest_wait_seconds)
            self._waiting[who] = (since, due)
            if self._has_thread and self._process != os.getpid():
                self._process = os.getpid()
                threading.Thread(target=self._run, name="learning-live-checks", daemon=True).start()
            elif len(self._waiting) == 1:
                self._changed.notify()

    def forget(self) -> None:
        """Drops all that waits, and waits for a request under way: for tests, and for the end of a process."""
        with self._changed:
            self._waiting.clear()
        with self._requesting:
            pass

    def run_due(self) -> float | None:
        """Requests what is due, in the calling thread. Returns the seconds until the next; None when nobody waits."""
        now = self._monotonic()
        with self._changed:
            due = [who for who, (_, at) in self._waiting.items() if at <= now]
            for who in due:
                del self._waiting[who]
        for who in due:
            try:
                with self._requesting:
                    self._request(who)
            except Exception:
                log.exception("live_check_not_requested", user_id=who.user_id, lesson_id=who.lesson_id)
        with self._changed:
            if not self._waiting:
                return None
            return max(0.0, min(at for _, at in self._waiting.values()) - self._monotonic())

    def _run(self) -> None:
        while True:
            wait = self.run_due()
            with self._changed:
                if wait is None and self._waiting:
                    continue
                self._changed.wait(wait)


def live_checks() -> LiveChecks:
    """The current app's."""
    kept: LiveChecks = current_app.extensions["jiki_learning.live_checks"]
    return kept


def init_live_checks(app: Flask, settings: LearningSettings) -> None:
    """Makes them; no thread yet."""

    def request(who: Typist) -> None:
        from jiki_learning.commands.check_draft import (
            request_check,  # models are not known yet when a plugin is configured
        )

        with app.app_context():
            request_check(who.user_id, who.lesson_id)

    app.extensions["jiki_learning.live_checks"] = LiveChecks(
        request,
        quiet_seconds=settings.live_check_quiet_ms / 1_000,
        longest_wait_seconds=settings.live_check_longest_wait_ms / 1_000,
    )
