"""`internal/lessons/:slug/exercise_submissions/:uuid/test_run`, and the same of challenges: what the server's run told.

`latest` stands for the uuid of the newest submission.
"""

from __future__ import annotations

from jiki_core.db import UnitOfWork, unit_of_work
from jiki_core.errors import NotFound
from jiki_core.http import Blueprint, Reply, policy, reply
from jiki_core.security import me
from jiki_learning.catalogue import CatalogueChallenge, CatalogueLesson
from jiki_learning.commands.perform_test_run import cancel_test_run
from jiki_learning.errors import ChallengeNotFound, LessonNotFound, PremiumRequired
from jiki_learning.queries.catalogue import find_challenge, find_lesson
from jiki_learning.queries.challenges import require_premium
from jiki_learning.queries.test_runs import run_shape, submission_run
from jiki_learning.test_run_schemas import TestRunReply

of_lessons = Blueprint("lesson_test_runs", __name__, url_prefix="/lessons", description="Test runs of lessons")
of_challenges = Blueprint(
    "challenge_test_runs", __name__, url_prefix="/challenges", description="Test runs of challenges"
)
PATH = "/<slug>/exercise_submissions/<uuid>/test_run"


@of_lessons.route(PATH)
@policy("learning.learn")
@of_lessons.response(200, TestRunReply)
@of_lessons.raises(LessonNotFound, NotFound)
def show_of_lesson(slug: str, uuid: str) -> Reply:
    """The newest test run of one of the learner's submissions; 404 when none was made."""
    return reply({"test_run": run_shape(submission_run(me().user_id, find_lesson(slug), uuid))})


@of_lessons.route(f"{PATH}/cancel", methods=["POST"])
@policy("learning.learn")
@of_lessons.response(200, TestRunReply)
@of_lessons.raises(LessonNotFound, NotFound)
def cancel_of_lesson(slug: str, uuid: str) -> Reply:
    """Ends a run that is not over; one that is stays as it is."""
    target = find_lesson(slug)
    with unit_of_work() as uow:
        _cancel(uow, target, uuid)
    return reply({"test_run": run_shape(submission_run(me().user_id, target, uuid))})


@of_challenges.route(PATH)
@policy("learning.learn")
@of_challenges.response(200, TestRunReply)
@of_challenges.raises(PremiumRequired, ChallengeNotFound, NotFound)
def show_of_challenge(slug: str, uuid: str) -> Reply:
    """The newest test run of one of the learner's submissions; 404 when none was made."""
    require_premium(me().user_id)
    return reply({"test_run": run_shape(submission_run(me().user_id, find_challenge(slug), uuid))})


@of_challenges.route(f"{PATH}/cancel", methods=["POST"])
@policy("learning.learn")
@of_challenges.response(200, TestRunReply)
@of_challenges.raises(PremiumRequired, ChallengeNotFound, NotFound)
def cancel_of_challenge(slug: str, uuid: str) -> Reply:
    """Ends a run that is not over; one that is stays as it is."""
    require_premium(me().user_id)
    target = find_challenge(slug)
    with unit_of_work() as uow:
        _cancel(uow, target, uuid)
    return reply({"test_run": run_shape(submission_run(me().user_id, target, uuid))})


def _cancel(uow: UnitOfWork, target: CatalogueLesson | CatalogueChallenge, uuid: str) -> None:
    cancel_test_run(uow, submission_run(me().user_id, target, uuid))
