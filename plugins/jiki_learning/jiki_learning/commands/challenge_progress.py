"""Starts and completes challenges, and stores what is handed in for them: for premium members (contract.md 3.7 to 3.9).

Each act is serialised per learner by the learner's row of the challenge, which is inserted before it is locked.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import UnitOfWork
from jiki_learning.catalogue import CatalogueChallenge
from jiki_learning.commands.record_activity import record_activity
from jiki_learning.commands.store_submission import accept_submission
from jiki_learning.errors import ChallengeLocked, UserChallengeNotFound
from jiki_learning.events import ChallengeCompleted
from jiki_learning.models import UserChallenge
from jiki_learning.queries.catalogue import find_challenge
from jiki_learning.queries.challenges import challenge_status, require_premium
from jiki_learning.submission_rules import OfferedFile


def start_challenge(uow: UnitOfWork, user_id: int, slug: str) -> None:
    """One that is started or complete stays as it is. Raises PremiumRequired, ChallengeNotFound, ChallengeLocked."""
    require_premium(user_id)
    _start(uow, user_id, find_challenge(slug))


def complete_challenge(uow: UnitOfWork, user_id: int, slug: str) -> None:
    """Counts for the learner's streak, unlocks nothing; a repeat changes nothing.

    Raises PremiumRequired, ChallengeNotFound, UserChallengeNotFound.
    """
    require_premium(user_id)
    challenge = find_challenge(slug)
    row = uow.session.execute(
        select(UserChallenge.id, UserChallenge.completed_at)
        .where(UserChallenge.user_id == user_id, UserChallenge.challenge_id == challenge.id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise UserChallengeNotFound()
    if row.completed_at is None:
        uow.session.execute(update(UserChallenge).where(UserChallenge.id == row.id).values(completed_at=uow.now))
        record_activity(uow, user_id)
        uow.emit(ChallengeCompleted(user_id, slug, challenge.exercise_slug))


def submit_challenge(
    uow: UnitOfWork, user_id: int, slug: str, offered: Sequence[OfferedFile], *, has_passed: bool | None = None
) -> None:
    """Starts the challenge when it may be started.

    Raises PremiumRequired, ChallengeNotFound, ChallengeLocked, what `check_submission` raises.
    """
    require_premium(user_id)
    context = _start(uow, user_id, find_challenge(slug))
    accept_submission(uow, user_id, offered, user_challenge_id=context, has_passed=has_passed)


def _start(uow: UnitOfWork, user_id: int, challenge: CatalogueChallenge) -> int:
    """The learner's row, locked; made when there is none. Raises ChallengeLocked."""
    mine = (UserChallenge.user_id == user_id, UserChallenge.challenge_id == challenge.id)
    found = uow.session.execute(select(UserChallenge.id).where(*mine).with_for_update()).scalar_one_or_none()
    if found is not None:
        return found
    if challenge_status(user_id, challenge) == "locked":
        raise ChallengeLocked()
    uow.session.execute(
        insert(UserChallenge)
        .values(user_id=user_id, challenge_id=challenge.id, started_at=uow.now)
        .on_conflict_do_nothing()
    )
    return uow.session.execute(select(UserChallenge.id).where(*mine).with_for_update()).scalar_one()
