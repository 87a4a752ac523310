"""The one lock under which content changes, so that two editors or imports never interleave."""

from __future__ import annotations

from sqlalchemy import text

from jiki_core.db import UnitOfWork

#: key of the advisory lock; learners never take it
CONTENT_LOCK = 7_021_990


def lock_content(uow: UnitOfWork) -> None:
    """Until the end of the unit. Every command that changes content begins with it."""
    uow.session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": CONTENT_LOCK})
