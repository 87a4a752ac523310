"""`internal/challenges` and `internal/user_challenges`: exercises beside the course, for premium members."""

from __future__ import annotations

from typing import Any

from jiki_core.db import unit_of_work
from jiki_core.errors import NotFound
from jiki_core.http import Blueprint, PageQuery, Reply, policy, reply, reply_page
from jiki_core.security import me
from jiki_learning.api.v1.offered_files import OfferedSubmission
from jiki_learning.commands.challenge_progress import complete_challenge, start_challenge, submit_challenge
from jiki_learning.errors import (
    ChallengeLocked,
    ChallengeNotFound,
    DuplicateFilename,
    FileTooLarge,
    InvalidSubmission,
    PremiumRequired,
    TooManyFiles,
    UserChallengeNotFound,
)
from jiki_learning.queries.catalogue import find_challenge
from jiki_learning.queries.challenges import challenge_page, require_premium, user_challenge_shape
from jiki_learning.queries.submissions import latest_submission, one_submission, submission_page
from jiki_learning.schemas import (
    ChallengePageReply,
    ChallengeReply,
    EmptyReply,
    SearchPageQuery,
    SubmissionBody,
    SubmissionPageReply,
    SubmissionReply,
    UserChallengeReply,
)

blp = Blueprint("challenges", __name__, url_prefix="/challenges", description="Challenges")
mine = Blueprint("user_challenges", __name__, url_prefix="/user_challenges", description="The learner's challenges")


@blp.route("")
@policy("learning.learn")
@blp.arguments(SearchPageQuery, location="query")
@blp.response(200, ChallengePageReply)
def index(query: dict[str, Any]) -> Reply:
    """Challenges by part of their slug, one's own first; for free learners too."""
    page = challenge_page(me().user_id, query)
    return reply_page(page, page.items)


@blp.route("/<slug>")
@policy("learning.learn")
@blp.response(200, ChallengeReply)
@blp.raises(PremiumRequired, ChallengeNotFound)
def show(slug: str) -> Reply:
    """A challenge, locked or not."""
    require_premium(me().user_id)
    challenge = find_challenge(slug)
    return reply({"challenge": {"slug": challenge.slug, "exercise_slug": challenge.exercise_slug}})


@blp.route("/<slug>/exercise_submissions", methods=["POST"])
@policy("learning.learn")
@blp.arguments(SubmissionBody)
@blp.response(201, EmptyReply)
@blp.raises(PremiumRequired, ChallengeLocked, ChallengeNotFound)
@blp.raises(DuplicateFilename, FileTooLarge, TooManyFiles, InvalidSubmission)
def submit(body: dict[str, Any], slug: str) -> Reply:
    """Hands in files; starts the challenge when it is unlocked."""
    offered = OfferedSubmission.of(body)
    with unit_of_work() as uow:
        submit_challenge(uow, me().user_id, slug, offered.files, has_passed=offered.has_passed)
    return reply({}, status=201)


@blp.route("/<slug>/exercise_submissions")
@policy("learning.learn")
@blp.arguments(PageQuery, location="query")
@blp.response(200, SubmissionPageReply)
@blp.raises(PremiumRequired, ChallengeNotFound)
def submissions(query: dict[str, Any], slug: str) -> Reply:
    """The learner's submissions, newest first."""
    require_premium(me().user_id)
    page = submission_page(me().user_id, find_challenge(slug), query)
    return reply_page(page, page.items)


@blp.route("/<slug>/exercise_submissions/latest")
@policy("learning.learn")
@blp.response(200, SubmissionReply)
@blp.raises(PremiumRequired, ChallengeNotFound, NotFound)
def latest(slug: str) -> Reply:
    """The learner's latest submission."""
    require_premium(me().user_id)
    return reply({"submission": latest_submission(me().user_id, find_challenge(slug))})


@blp.route("/<slug>/exercise_submissions/<uuid>")
@policy("learning.learn")
@blp.response(200, SubmissionReply)
@blp.raises(PremiumRequired, ChallengeNotFound, NotFound)
def submission(slug: str, uuid: str) -> Reply:
    """One of the learner's submissions."""
    require_premium(me().user_id)
    return reply({"submission": one_submission(me().user_id, find_challenge(slug), uuid)})


@mine.route("/<slug>")
@policy("learning.learn")
@mine.response(200, UserChallengeReply)
@mine.raises(PremiumRequired, ChallengeNotFound, UserChallengeNotFound)
def show_mine(slug: str) -> Reply:
    """The learner's state in a challenge."""
    require_premium(me().user_id)
    return reply({"user_challenge": user_challenge_shape(me().user_id, find_challenge(slug))})


@mine.route("/<slug>/start", methods=["POST"])
@policy("learning.learn")
@mine.response(200, EmptyReply)
@mine.raises(PremiumRequired, ChallengeLocked, ChallengeNotFound)
def start(slug: str) -> Reply:
    """Starts an unlocked challenge; one that is started or complete stays as it is."""
    with unit_of_work() as uow:
        start_challenge(uow, me().user_id, slug)
    return reply({})


@mine.route("/<slug>/complete", methods=["PATCH"])
@policy("learning.learn")
@mine.response(200, EmptyReply)
@mine.raises(PremiumRequired, ChallengeNotFound, UserChallengeNotFound)
def complete(slug: str) -> Reply:
    """Completes a started challenge; again is no change."""
    with unit_of_work() as uow:
        complete_challenge(uow, me().user_id, slug)
    return reply({})
