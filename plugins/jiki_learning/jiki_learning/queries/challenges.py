"""Challenges as learners see them (contract.md 3.7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import select, text

from jiki_core.contracts import Entitlements, ask
from jiki_core.db import reading
from jiki_core.http import Page
from jiki_learning.catalogue import CatalogueChallenge
from jiki_learning.errors import PremiumRequired, UserChallengeNotFound
from jiki_learning.models import UserChallenge
from jiki_learning.queries.catalogue import current_catalogue
from jiki_learning.queries.concepts import page_of
from jiki_learning.queries.conversations import conversation_json
from jiki_learning.queries.submissions import SUBMISSION_JSON, exercise_data, latest_of

PREMIUM = "premium"

# For each challenge: is there a row of the learner's, is it complete, and is the lesson that unlocks it.
_STATUSES = text("""
    select challenges.id,
           case when mine.completed_at is not null then 'completed'
                when mine.id is not null then 'started'
                when edges.id is null or done.id is not null then 'unlocked'
                else 'locked' end as status
    from learning.challenges
    left join learning.user_challenges mine on mine.challenge_id = challenges.id and mine.user_id = :user_id
    left join learning.unlock_edges edges on edges.challenge_id = challenges.id
    left join learning.user_lessons done
        on done.lesson_id = edges.lesson_id and done.user_id = :user_id and done.completed_at is not null
    where challenges.id = coalesce(cast(:challenge_id as bigint), challenges.id)
""")

_USER_CHALLENGE = text(f"""
    select mine.completed_at,
           {conversation_json("challenge")} as conversation,
           case when s.id is not null then {SUBMISSION_JSON} end as last_submission, s.has_passed
    from learning.user_challenges mine
    {latest_of("user_challenge_id")}
    where mine.user_id = :user_id and mine.challenge_id = :challenge_id
""")


def require_premium(user_id: int) -> None:
    """Raises PremiumRequired."""
    if not ask(Entitlements).check(user_id, PREMIUM):
        raise PremiumRequired()


def challenge_page(user_id: int, query: Mapping[str, Any]) -> Page[dict[str, Any]]:
    """ChallengeRows, the learner's own first, then by slug. `query` holds `query` (part of a slug), `page`, `per`."""
    part = query["query"].strip().lower()
    statuses: dict[int, str] = dict(reading().execute(_STATUSES, {"user_id": user_id, "challenge_id": None}).all())
    rows = [
        {"slug": one.slug, "exercise_slug": one.exercise_slug, "status": statuses[one.id]}
        for one in current_catalogue().challenges.values()
        if part in one.slug and one.id in statuses
    ]
    rows.sort(key=lambda row: (row["status"] not in ("started", "completed"), row["slug"]))
    return page_of(rows, query)


def challenge_status(user_id: int, challenge: CatalogueChallenge) -> str:
    """locked, unlocked, started or completed."""
    row = reading().execute(_STATUSES, {"user_id": user_id, "challenge_id": challenge.id}).one()
    status: str = row.status
    return status


def user_challenge_id(user_id: int, challenge_id: int) -> int | None:
    """The learner's row of a challenge; None for one that is not started."""
    return (
        reading()
        .execute(
            select(UserChallenge.id).where(UserChallenge.user_id == user_id, UserChallenge.challenge_id == challenge_id)
        )
        .scalar_one_or_none()
    )


def user_challenge_shape(user_id: int, challenge: CatalogueChallenge) -> dict[str, Any]:
    """UserChallenge of contract.md 2.2. Raises UserChallengeNotFound."""
    row = reading().execute(_USER_CHALLENGE, {"user_id": user_id, "challenge_id": challenge.id}).one_or_none()
    if row is None:
        raise UserChallengeNotFound()
    return {
        "challenge_slug": challenge.slug,
        "status": "started" if row.completed_at is None else "completed",
        "conversation": orjson.Fragment(row.conversation or "[]"),
        # whoever gets here is a premium member, and those may talk about every challenge
        "conversation_allowed": True,
        "data": exercise_data(row),
    }
