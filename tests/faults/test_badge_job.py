"""kill -9 of the worker in the middle of learning's badge job: the badge is there once, when a worker is back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from jiki_core.runtime import runtime_of
from jiki_core.testing import wait_until
from jiki_core.testing.pytest_plugin import DEFAULT_PLUGINS
from jiki_learning.testing import forget_caches, import_levels, make_learner
from tests.faults.processes import supervised

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]

JOB = "learning.on.learning.lesson_completed.award_badges_for_lesson"


@pytest.fixture
def learner(committed_db, app):
    forget_caches(app)
    runtime_of(app).redis.flushdb()
    import_levels(committed_db, (2, 1))
    return make_learner(committed_db)


@pytest.fixture
def processes(committed_db, tmp_path):
    """A supervisor for processes with all first-party plugins, on the app's services."""
    settings = runtime_of(committed_db).settings
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("JIKI_")},
        "JIKI_ENV": "development",
        "JIKI_PLUGINS_ENABLED": ",".join(DEFAULT_PLUGINS),
        "JIKI_LOG_LEVEL": "ERROR",
        "DATABASE_URL": settings.database_url.reveal(),
        "REDIS_URL": settings.redis_url.reveal(),
        "JIKI_MAIL_SMTP_URL": settings.mail_smtp_url.reveal(),
    }
    with supervised(tmp_path, environment) as supervisor:
        yield supervisor


@contextmanager
def badge_held(url: str) -> Iterator[psycopg.Connection]:
    """Whoever counts the badge's owners waits: the badge is written by then, and not committed."""
    with psycopg.connect(url) as connection:
        held = connection.execute("select 1 from learning.badges where slug = 'first_lesson' for no key update")
        assert held.fetchall() == [(1,)]
        yield connection
        connection.rollback()


def waiting_for_a_lock(url: str) -> bool:
    with psycopg.connect(url, autocommit=True) as connection:
        return bool(
            connection.execute(
                "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query ilike 'update%learning.badges%'"
            ).fetchone()
        )


def test_a_worker_killed_in_the_middle_of_the_badge_job_awards_the_badge_once(committed_db, learner, processes):
    url = runtime_of(committed_db).settings.database_url.reveal()

    def sql(statement, *values):
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(statement, values).fetchall()

    def owned():
        return sql(
            "select count(*) from learning.user_acquired_badges a join learning.badges b on b.id = a.badge_id "
            "where b.slug = 'first_lesson' and a.user_id = %s",
            learner.id,
        )[0][0]

    processes.start_scheduler()
    with badge_held(url):
        learner.complete("lesson-1-1").expect(200)
        processes.start_worker("worker", "default", "mail", "heavy")
        wait_until(lambda: waiting_for_a_lock(url), seconds=60, what="the middle of the badge job")
        processes.stop("worker")
        assert owned() == 0
        assert sql("select state, attempt from core.outbox where name = %s", JOB) == [("started", 1)]
    processes.start_worker("worker", "default", "mail", "heavy")
    wait_until(
        lambda: sql("select 1 from core.outbox where name = %s and state = 'done'", JOB),
        seconds=120,
        what="the second run",
    )
    assert owned() == 1
    assert sql("select num_awardees from learning.badges where slug = 'first_lesson'") == [(1,)]
    assert sql("select attempt, failures from core.outbox where name = %s", JOB) == [(2, 0)]
    told = "select count(*) from core.notifications where type = 'learning.badge_awarded' and data ->> 'slug' = %s"
    assert sql(told, "first_lesson") == [(1,)]
    wait_until(
        lambda: not sql("select 1 from core.outbox where state not in ('done') and run_after <= now() limit 1"),
        seconds=60,
        what="the end of everything else",
    )
