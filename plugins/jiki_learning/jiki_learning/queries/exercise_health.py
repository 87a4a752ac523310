"""Counts per exercise lesson, for `exercise_health` (contract.md 2.6): one statement over all sessions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from jiki_core.db import reading
from jiki_learning.exercise_health import ExerciseCounts

#: a session without completion whose last activity is older is over
INACTIVE_AFTER = timedelta(days=7)

# `sessions`: one row per learner and exercise. `reached`: learners who completed the compulsory lesson before an exercise
# long enough ago, or whose level was opened so long ago where there is none before it, and everybody who started it.
_COUNTS = text("""
    with exercises as (
        select lessons.id, lessons.slug, lessons.level_id, levels.position as level_position, lessons.position,
               levels.course_id,
               (
                   select before.id from learning.lessons before
                   where before.level_id = lessons.level_id and before.position < lessons.position
                     and not before.is_optional
                   order by before.position desc limit 1
               ) as before_id
        from learning.lessons join learning.levels on levels.id = lessons.level_id
        where lessons.type = 'exercise'
    ), attempts as (
        select user_lesson_id, count(*) as attempts, max(stored_at) as last_at
        from learning.exercise_submissions where user_lesson_id is not null group by 1
    ), sessions as (
        select mine.lesson_id, mine.user_id, mine.started_at, mine.completed_at, mine.difficulty_rating, mine.fun_rating,
               coalesce(attempts.attempts, 0) as attempts,
               case when mine.completed_at is not null then 'completed'
                    when greatest(mine.started_at, attempts.last_at) > :inactive_since then 'in_progress'
                    when attempts.attempts is null then 'bounced'
                    else 'abandoned' end as outcome,
               exists (
                   select from learning.assistant_conversations talks
                   join learning.assistant_messages said on said.conversation_id = talks.id and said.role = 'user'
                   where talks.user_id = mine.user_id and talks.lesson_id = mine.lesson_id
               ) as has_asked
        from learning.user_lessons mine
        join exercises on exercises.id = mine.lesson_id
        left join attempts on attempts.user_lesson_id = mine.id
    ), reached as (
        select exercises.id as lesson_id, done.user_id
        from exercises join learning.user_lessons done on done.lesson_id = exercises.before_id
        where done.completed_at <= :inactive_since
        union
        select exercises.id, opened.user_id
        from exercises join learning.user_levels opened on opened.level_id = exercises.level_id
        where exercises.before_id is null and opened.started_at <= :inactive_since
        union
        select lesson_id, user_id from sessions
    )
    select exercises.id, exercises.slug,
           (select count(*) from reached where reached.lesson_id = exercises.id) as num_reached,
           count(sessions.user_id) as num_starts,
           count(*) filter (where outcome = 'in_progress') as num_in_progress,
           count(*) filter (where outcome = 'completed') as num_completed,
           count(*) filter (where outcome = 'bounced') as num_bounced,
           count(*) filter (where outcome = 'abandoned') as num_abandoned,
           percentile_cont(0.5) within group (order by attempts) filter (where outcome = 'completed') as completer_median,
           percentile_cont(0.9) within group (order by attempts) filter (where outcome = 'completed') as completer_p90,
           percentile_cont(0.5) within group (order by attempts) filter (where outcome = 'abandoned') as abandoner_median,
           percentile_cont(0.5) within group (order by extract(epoch from completed_at - started_at) / 60)
               filter (where outcome = 'completed') as median_minutes,
           avg(difficulty_rating) as avg_difficulty,
           avg(fun_rating) as avg_fun,
           count(*) filter (where attempts > 0) as num_engaged,
           count(*) filter (where attempts > 0 and has_asked) as num_asked
    from exercises
    left join sessions on sessions.lesson_id = exercises.id
    group by exercises.id, exercises.slug, exercises.course_id, exercises.level_position, exercises.position
    order by exercises.course_id, exercises.level_position, exercises.position
""")


def exercise_counts() -> list[ExerciseCounts]:
    """Of every exercise lesson, in the order of the courses."""
    rows = reading().execute(_COUNTS, {"inactive_since": datetime.now(UTC) - INACTIVE_AFTER})
    return [
        ExerciseCounts(
            lesson_id=row.id,
            slug=row.slug,
            num_reached=row.num_reached,
            num_starts=row.num_starts,
            num_in_progress=row.num_in_progress,
            num_completed=row.num_completed,
            num_bounced=row.num_bounced,
            num_abandoned=row.num_abandoned,
            completer_median_attempts=_rounded(row.completer_median),
            completer_p90_attempts=_rounded(row.completer_p90),
            abandoner_median_attempts=_rounded(row.abandoner_median),
            median_minutes_to_complete=_rounded(row.median_minutes),
            avg_difficulty=_rounded(row.avg_difficulty, 2),
            avg_fun=_rounded(row.avg_fun, 2),
            num_engaged=row.num_engaged,
            num_asked=row.num_asked,
        )
        for row in rows
    ]


def _rounded(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(float(value), digits)
