"""`ExerciseChannel`: feedback while somebody types, and their draft, kept and restored."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import ClassVar

from jiki_core.cable import Channel, Rate, action
from jiki_core.contracts import ask
from jiki_core.http import timestamp
from jiki_learning.channels.lesson_params import LessonParams
from jiki_learning.commands.save_draft import save_draft
from jiki_learning.contracts import ExerciseRunner
from jiki_learning.drafts import Draft, clean_files, exercise_stream, keep_draft, seed_draft
from jiki_learning.exercise_check_messages import CheckResult, CheckStarted, DraftRestored, DraftSaved, Edited, Ready
from jiki_learning.exercise_material import language_of
from jiki_learning.exercise_states import ExerciseState
from jiki_learning.live_checks import Typist, live_checks
from jiki_learning.queries.catalogue import find_lesson
from jiki_learning.queries.drafts import last_draft
from jiki_learning.queries.exercises import lesson_exercise_state
from jiki_learning.queries.own_settings import learning_settings
from jiki_learning.queries.test_runs import runnable_exercise
from jiki_learning.syntax_check import SyntaxWatch


class ExerciseChannel(Channel):
    """Subscribed to as `{"channel":"ExerciseChannel","lesson_slug":"…"}`; `edit` is performed at every change.

    Each edit is answered with `saved`; some moments after the last one the tests run, and `checked` tells how they went.
    """

    permission = "learning.learn"
    Params = LessonParams
    #: ten keys a second, and what waited while a line was slow
    rate = Rate(20, per_seconds=1.0, burst=60)
    truth = "GET /api/v1/internal/lessons/{lesson_slug}/draft"
    sends: ClassVar = {
        "ready": Ready,
        "draft": DraftRestored,
        "saved": DraftSaved,
        "checking": CheckStarted,
        "checked": CheckResult,
    }

    _lesson_id: int = 0
    _language: str = ""
    _has_tests: bool = False
    #: the last edit, unless it is in PostgreSQL
    _unsaved: Draft | None = None
    _saved_at: float = 0.0
    _syntax: SyntaxWatch | None = None

    def subscribed(self) -> None:
        lesson = find_lesson(self.params.lesson_slug)
        if lesson_exercise_state(self.user_id, lesson) is ExerciseState.LOCKED:
            self.reject()
            return
        self._lesson_id, self._saved_at, self._syntax = lesson.id, time.monotonic(), SyntaxWatch()
        exercise = runnable_exercise(lesson_id=lesson.id)
        if exercise is not None:
            self._language = exercise.material.language
            self._has_tests = bool(exercise.material.tests) and self._language in ask(ExerciseRunner).languages()
        self.stream_from(exercise_stream(self.user_id, lesson.id))
        if self.is_restored:
            return
        checks = [*(["syntax"] if self._language == "python" else []), *(["tests"] if self._has_tests else [])]
        self.transmit(asdict(Ready(self._language, checks)))
        draft = last_draft(self.user_id, lesson.id)
        if draft is not None:
            seed_draft(self.user_id, lesson.id, draft)
            self.transmit(asdict(DraftRestored(draft.files, draft.version, timestamp(draft.saved_at))))

    @action(payload=Edited)
    def edit(self, edited: Edited) -> None:
        """The code has changed. Needs no database, but once a minute to store the draft."""
        files, now = clean_files(edited.files), datetime.now(UTC)
        version = keep_draft(self.user_id, self._lesson_id, files, now)
        self._unsaved = Draft(files, version or 0, now)
        faults = self._syntax.faults(self._language or language_of(files), files) if self._syntax else None
        told = None if faults is None else [asdict(fault) for fault in faults]
        self.transmit(asdict(DraftSaved(edited.revision, version, told)))
        if self._has_tests and version is not None:
            live_checks().edited(Typist(self.user_id, self._lesson_id))
        if time.monotonic() - self._saved_at >= learning_settings().draft_flush_seconds:
            self._save()

    def unsubscribed(self) -> None:
        self._save()

    def _save(self) -> None:
        if self._unsaved is not None:
            save_draft(self.uow, self.user_id, self._lesson_id, self._unsaved)
        self._unsaved, self._saved_at = None, time.monotonic()
