"""Accepts a submission and writes it: texts under their content addresses, the submission, its files, the learner's day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, text, update

from jiki_core.db import UnitOfWork, uuid7
from jiki_learning.commands.queue_test_run import plan_test_run, queue_test_run, repeat_test_run
from jiki_learning.models import ExerciseSubmission, SubmissionFile
from jiki_learning.queries.zones import zone_of
from jiki_learning.streaks import local_day
from jiki_learning.submission_rules import OfferedFile, check_submission

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
        insert into learning.exercise_submissions (uuid, user_lesson_id, user_challenge_id, has_passed, stored_at)
        values (:uuid, :user_lesson_id, :user_challenge_id, :has_passed, :now)
        returning id
    ), activity as (
        insert into learning.activity_days as mine (user_id, day, kind) values (:user_id, :day, 2)
        on conflict (user_id, day) do update set kind = excluded.kind where mine.kind <> excluded.kind
    )
    insert into learning.submission_files (submission_id, filename, digest)
    select submission.id, one.filename, one.digest
    from submission, unnest(cast(:filenames as text[]), cast(:digests as text[])) as one(filename, digest)
    returning submission_id
""")


def accept_submission(
    uow: UnitOfWork,
    user_id: int,
    offered: Sequence[OfferedFile],
    *,
    user_lesson_id: int | None = None,
    user_challenge_id: int | None = None,
    has_passed: bool | None = None,
) -> None:
    """Checks and stores; a repeat of the latest one of its context is not stored again, its outcome is.

    Exactly one context is given, and the caller holds the lock that serialises it. `has_passed`: whether the client's
    tests passed, None when it did not say; it does not count where a run on the server decides. Where there is a runner
    for the exercise, a run is asked for. Raises what `check_submission` raises.
    """
    context = {"user_lesson_id": user_lesson_id, "user_challenge_id": user_challenge_id}
    latest = _latest(uow, **context)
    checked = check_submission(offered, latest.addresses)
    plan = plan_test_run(uow, **context)
    if plan is not None and plan.decides:
        has_passed = None  # the run will tell
    if checked.is_repeat and latest.id is not None:
        if has_passed is not None:
            uow.session.execute(
                update(ExerciseSubmission).where(ExerciseSubmission.id == latest.id).values(has_passed=has_passed)
            )
        if plan is not None:
            repeat_test_run(uow, plan, latest.id, **context)
        return
    stored = uow.session.execute(
        _STORE,
        {
            "uuid": uuid7(),
            "user_id": user_id,
            **context,
            "has_passed": has_passed,
            "now": uow.now,
            "day": local_day(uow.now, zone_of(user_id)),
            "filenames": [file.filename for file in checked.files],
            "digests": [file.digest for file in checked.files],
            "contents": [file.content for file in checked.files],
        },
    )
    submission_id = stored.scalars().first()
    if plan is not None and submission_id is not None:
        queue_test_run(uow, plan, submission_id, **context)


@dataclass(frozen=True, slots=True)
class _Latest:
    """The latest submission of a context: its id, None when there is none, and (filename, digest) of each file."""

    id: int | None
    addresses: frozenset[tuple[str, str]]


def _latest(uow: UnitOfWork, *, user_lesson_id: int | None, user_challenge_id: int | None) -> _Latest:
    mine = (
        ExerciseSubmission.user_lesson_id == user_lesson_id
        if user_lesson_id is not None
        else ExerciseSubmission.user_challenge_id == user_challenge_id
    )
    latest = select(ExerciseSubmission.id).where(mine).order_by(ExerciseSubmission.id.desc()).limit(1).scalar_subquery()
    rows = uow.session.execute(
        select(SubmissionFile.submission_id, SubmissionFile.filename, SubmissionFile.digest).where(
            SubmissionFile.submission_id == latest
        )
    ).all()
    return _Latest(rows[0].submission_id if rows else None, frozenset((row.filename, row.digest) for row in rows))
