"""`SubmissionChannel`: the test runs of a learner's submissions for a lesson or a challenge, as they happen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from jiki_core.cable import Channel, action
from jiki_learning.catalogue import CatalogueChallenge, CatalogueLesson
from jiki_learning.queries.catalogue import find_challenge, find_lesson
from jiki_learning.queries.challenges import require_premium
from jiki_learning.queries.test_runs import latest_run_in
from jiki_learning.test_run_messages import (
    RunFinished,
    RunQueued,
    RunResult,
    RunStarted,
    RunTests,
    as_message,
    challenge_stream,
    lesson_stream,
)


@dataclass(frozen=True, slots=True)
class SubmissionParams:
    """Exactly one of the two is given."""

    lesson_slug: str | None = None
    challenge_slug: str | None = None


class SubmissionChannel(Channel):
    """Subscribed to as `{"channel":"SubmissionChannel","lesson_slug":"…"}`, best before something is handed in.

    Tells the newest run's state at once, then what happens: queued, running, tests, a result for each test, finished.
    """

    permission = "learning.learn"
    Params = SubmissionParams
    truth = "GET /api/v1/internal/lessons/{lesson_slug}/exercise_submissions/latest/test_run"
    sends: ClassVar = {
        "queued": RunQueued,
        "running": RunStarted,
        "tests": RunTests,
        "result": RunResult,
        "finished": RunFinished,
    }

    def subscribed(self) -> None:
        given: SubmissionParams = self.params
        if (given.lesson_slug is None) == (given.challenge_slug is None):
            self.reject()
            return
        target = self._target()
        if isinstance(target, CatalogueLesson):
            self.stream_from(lesson_stream(self.user_id, target.id))
        else:
            self.stream_from(challenge_stream(self.user_id, target.id))
        if not self.is_restored:
            self._tell_state(target)

    @action
    def refresh(self, data: Mapping[str, Any]) -> None:
        """Tells the newest run's state again, for clients that came back without their history."""
        self._tell_state(self._target())

    def _target(self) -> CatalogueLesson | CatalogueChallenge:
        given: SubmissionParams = self.params
        if given.lesson_slug is not None:
            return find_lesson(given.lesson_slug)
        require_premium(self.user_id)
        return find_challenge(given.challenge_slug or "")

    def _tell_state(self, target: CatalogueLesson | CatalogueChallenge) -> None:
        run = latest_run_in(self.user_id, target)
        if run is not None:
            self.transmit(as_message(run.message()))
