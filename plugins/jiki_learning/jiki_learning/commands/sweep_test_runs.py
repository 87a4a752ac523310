"""Forgets the details of old test runs: outcome and counts stay, messages and output of each test go."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from jiki_core.db import UnitOfWork
from jiki_learning.queries.own_settings import learning_settings

#: rows of one transaction
BATCH = 1_000

_FORGET = text("""
    update learning.test_runs set report = report - 'tests' - 'output'
    where id in (
        select id from learning.test_runs
        where finished_at < :before and jsonb_exists(report, 'tests')
        order by id limit :batch for update skip locked
    )
""")


def sweep_test_runs(uow: UnitOfWork) -> bool:
    """One batch; whether there may be more."""
    before = uow.now - timedelta(days=learning_settings().test_run_details_days)
    swept = uow.session.execute(_FORGET, {"before": before, "batch": BATCH})
    return bool(swept.rowcount == BATCH)  # type: ignore[attr-defined]  # an UPDATE's result has a rowcount
