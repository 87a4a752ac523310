"""Stored submissions as JSON, made by PostgreSQL (contract.md 2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import orjson
from sqlalchemy import TextClause, text

from jiki_core.db import reading
from jiki_core.errors import NotFound
from jiki_core.http import Page
from jiki_learning.catalogue import CatalogueChallenge, CatalogueLesson
from jiki_learning.exercise_states import ExerciseFacts, exercise_state

#: JSON text of a submission `s`, files ordered by name as bytes
SUBMISSION_JSON = """
    json_build_object(
        'uuid', s.uuid,
        'files', (
            select coalesce(json_agg(json_build_object('filename', f.filename, 'content', t.content)
                                     order by f.filename collate "C"), '[]')
            from learning.submission_files f
            join learning.file_texts t on t.digest = f.digest
            where f.submission_id = s.id
        ),
        'stored_at', to_char(s.stored_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    )::text
"""

# Without the texts: a page of a hundred submissions stays small.
_SUMMARY_JSON = """
    json_build_object(
        'uuid', s.uuid,
        'filenames', (
            select coalesce(json_agg(f.filename order by f.filename collate "C"), '[]')
            from learning.submission_files f where f.submission_id = s.id
        ),
        'passed', s.has_passed,
        'stored_at', to_char(s.stored_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    )::text
"""


def latest_of(context_id: Literal["user_lesson_id", "user_challenge_id"]) -> str:
    """A join: `s` is the latest submission of the learner's row `mine`, its columns null when there is none."""
    return f"""
        left join lateral (
            select * from learning.exercise_submissions one
            where one.{context_id} = mine.id order by one.id desc limit 1
        ) s on true
    """


def exercise_data(row: Any) -> dict[str, Any]:
    """`data` of UserLesson and UserChallenge, of a row with `completed_at`, `last_submission` (JSON) and `has_passed`."""
    state = exercise_state(
        ExerciseFacts(
            may_start=True,
            is_started=True,
            is_completed=row.completed_at is not None,
            has_submission=row.last_submission is not None,
            has_passed=row.has_passed,
        )
    )
    return {"last_submission": orjson.Fragment(row.last_submission or "null"), "exercise_state": state.value}


ContextType = Literal["UserLesson", "UserChallenge"]


@dataclass(frozen=True, slots=True)
class _Statements:
    """The reads of one kind of context."""

    page: TextClause
    count: TextClause
    latest: TextClause
    one: TextClause

    @classmethod
    def over(cls, table: str, context_id: str, target: str) -> _Statements:
        """`table` holds the learner's rows, `context_id` is how submissions name them, `target` what they are about."""
        mine = f"""
            from learning.exercise_submissions s
            join learning.{table} mine on mine.id = s.{context_id}
            where mine.user_id = :user_id and mine.{target} = :target_id
        """
        return cls(
            page=text(f"select {_SUMMARY_JSON} {mine} order by s.id desc limit :per offset :start"),
            count=text(f"select count(*) {mine}"),
            latest=text(f"select {SUBMISSION_JSON} {mine} order by s.id desc limit 1"),
            one=text(f"select {SUBMISSION_JSON} {mine} and s.uuid = :uuid"),
        )


_OF: Mapping[ContextType, _Statements] = {
    "UserLesson": _Statements.over("user_lessons", "user_lesson_id", "lesson_id"),
    "UserChallenge": _Statements.over("user_challenges", "user_challenge_id", "challenge_id"),
}


def submission_page(
    user_id: int, target: CatalogueLesson | CatalogueChallenge, query: Mapping[str, Any]
) -> Page[orjson.Fragment]:
    """Summaries of a learner's submissions, newest first. `query` holds `page` and `per`."""
    statements, whose = _OF[_context_type(target)], {"user_id": user_id, "target_id": target.id}
    total = reading().execute(statements.count, whose).scalar_one()
    start = (query["page"] - 1) * query["per"]
    rows = reading().execute(statements.page, {**whose, "per": query["per"], "start": start}).scalars()
    return Page([orjson.Fragment(row) for row in rows], query["page"], total, query["per"])


def latest_submission(user_id: int, target: CatalogueLesson | CatalogueChallenge) -> dict[str, Any]:
    """Submission of contract.md 2.2. Raises NotFound when there is none."""
    statement = _OF[_context_type(target)].latest
    return _shape(target, statement, {"user_id": user_id, "target_id": target.id})


def latest_files(user_id: int, target: CatalogueLesson | CatalogueChallenge) -> list[tuple[str, str]]:
    """(filename, text) of each file of the latest submission; empty when there is none."""
    found = (
        reading()
        .execute(_OF[_context_type(target)].latest, {"user_id": user_id, "target_id": target.id})
        .scalar_one_or_none()
    )
    return [] if found is None else [(one["filename"], one["content"]) for one in orjson.loads(found)["files"]]


def one_submission(user_id: int, target: CatalogueLesson | CatalogueChallenge, uuid: str) -> dict[str, Any]:
    """The same for one by its UUID. Raises NotFound for one that is not the learner's, or not of this context."""
    try:
        wanted = UUID(uuid)
    except ValueError:
        raise NotFound() from None
    statement = _OF[_context_type(target)].one
    return _shape(target, statement, {"user_id": user_id, "target_id": target.id, "uuid": wanted})


def _shape(
    target: CatalogueLesson | CatalogueChallenge, statement: TextClause, values: Mapping[str, Any]
) -> dict[str, Any]:
    found = reading().execute(statement, values).scalar_one_or_none()
    if found is None:
        raise NotFound()
    return {"context_type": _context_type(target), "context_slug": target.slug, **orjson.loads(found)}


def _context_type(target: CatalogueLesson | CatalogueChallenge) -> ContextType:
    return "UserLesson" if isinstance(target, CatalogueLesson) else "UserChallenge"
