"""Writes a submission: texts under their content addresses, the submission, its files and the learner's day."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, text

from jiki_core.db import UnitOfWork, uuid7
from jiki_learning.models import ExerciseSubmission, SubmissionFile
from jiki_learning.queries.zones import zone_of
from jiki_learning.streaks import local_day
from jiki_learning.submission_rules import SubmittedFile

# One statement, so that it holds the locks of all its tables before it looks which texts are there: a sweep of unused
# texts, which locks submission_files, is over by then or waits. Texts are inserted in one order: no deadlock.
_STORE = text("""
    with texts as (
        insert into learning.file_texts (digest, content)
        select distinct on (one.digest) one.digest, one.content
        from unnest(cast(:digests as text[]), cast(:contents as text[])) as one(digest, content)
        order by one.digest
        on conflict (digest) do nothing
    ), submission as (
        insert into learning.exercise_submissions (uuid, user_lesson_id, user_challenge_id, stored_at)
        values (:uuid, :user_lesson_id, :user_challenge_id, :now)
        returning id
    ), activity as (
        insert into learning.activity_days as mine (user_id, day, kind) values (:user_id, :day, 2)
        on conflict (user_id, day) do update set kind = excluded.kind where mine.kind <> excluded.kind
    )
    insert into learning.submission_files (submission_id, filename, digest)
    select submission.id, one.filename, one.digest
    from submission, unnest(cast(:filenames as text[]), cast(:digests as text[])) as one(filename, digest)
""")


def latest_addresses(
    uow: UnitOfWork, *, user_lesson_id: int | None = None, user_challenge_id: int | None = None
) -> frozenset[tuple[str, str]]:
    """(filename, digest) of each file of the latest submission in a context; empty when there is none."""
    mine = (
        ExerciseSubmission.user_lesson_id == user_lesson_id
        if user_lesson_id is not None
        else ExerciseSubmission.user_challenge_id == user_challenge_id
    )
    latest = select(ExerciseSubmission.id).where(mine).order_by(ExerciseSubmission.id.desc()).limit(1).scalar_subquery()
    rows = uow.session.execute(
        select(SubmissionFile.filename, SubmissionFile.digest).where(SubmissionFile.submission_id == latest)
    )
    return frozenset((row.filename, row.digest) for row in rows)


def store_submission(
    uow: UnitOfWork,
    user_id: int,
    files: Sequence[SubmittedFile],
    *,
    user_lesson_id: int | None = None,
    user_challenge_id: int | None = None,
) -> None:
    """The day counts for streaks (contract.md 3.16). Exactly one context is given."""
    uow.session.execute(
        _STORE,
        {
            "uuid": uuid7(),
            "user_id": user_id,
            "user_lesson_id": user_lesson_id,
            "user_challenge_id": user_challenge_id,
            "now": uow.now,
            "day": local_day(uow.now, zone_of(user_id)),
            "filenames": [file.filename for file in files],
            "digests": [file.digest for file in files],
            "contents": [file.content for file in files],
        },
    )
