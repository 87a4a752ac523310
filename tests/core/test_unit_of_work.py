"""The unit of work: the only code that commits, and everything it asks for is in the same transaction."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text

from jiki_core.db import db as database
from jiki_core.db import reading, unit_of_work, uuid7
from jiki_core.db.database import WriteOutsideUnitOfWork
from jiki_core.db.outbox import OutboxEntry
from jiki_core.db.records import AuditEvent, Notification, SeedRecord
from jiki_core.db.unit_of_work import UnitOfWorkMisuse, refuse_inside_unit
from jiki_core.testing import count_queries


def rows(model):
    return reading().execute(select(func.count()).select_from(model)).scalar_one()


def test_a_clean_exit_commits_rows_outbox_and_audit_together(committed_db):
    with committed_db.app_context():
        with unit_of_work() as uow:
            uow.session.add(SeedRecord(key="x", ran_at=uow.now))
            uow.notify(7, "test.told", {"a": 1})
            uow.audit("thing:done", actor_id=7)
        assert (rows(SeedRecord), rows(Notification), rows(AuditEvent), rows(OutboxEntry)) == (1, 1, 1, 1)


def test_an_exception_rolls_all_back(committed_db):
    def fail():
        with unit_of_work() as uow:
            uow.notify(7, "test.told", {"a": 1})
            uow.audit("thing:done", actor_id=7)
            raise ValueError("no")

    with committed_db.app_context():
        with pytest.raises(ValueError, match="no"):
            fail()
        assert (rows(Notification), rows(AuditEvent), rows(OutboxEntry)) == (0, 0, 0)


def test_units_do_not_nest(db):
    with db.app_context(), unit_of_work(), pytest.raises(UnitOfWorkMisuse, match="already"), unit_of_work():
        pass


def fail_after(callback):
    with unit_of_work() as uow:
        uow.after_commit(callback)
        raise KeyError


def test_callbacks_run_after_the_commit_only_and_a_failing_one_hurts_nobody(db):
    ran = []
    with db.app_context():
        with unit_of_work() as uow:
            uow.after_commit(lambda: 1 / 0)
            uow.after_commit(lambda: ran.append("after"))
            assert ran == []
        with pytest.raises(KeyError):
            fail_after(lambda: ran.append("never"))
    assert ran == ["after"]


def test_reads_inside_a_unit_see_its_writes(db):
    with db.app_context(), unit_of_work() as uow:
        uow.session.add(SeedRecord(key="x", ran_at=uow.now))
        uow.session.flush()
        assert rows(SeedRecord) == 1


def test_writing_outside_a_unit_is_refused(db):
    with db.app_context():
        database.session.add(SeedRecord(key="x"))
        with pytest.raises(WriteOutsideUnitOfWork, match="SeedRecord was changed outside a unit of work"):
            database.session.flush()


def test_a_plain_read_leaves_no_transaction_open(committed_db):
    with committed_db.app_context():
        reading().execute(select(SeedRecord)).all()
        with database.engine.connect() as other:
            open_ones = other.execute(
                text(
                    "select count(*) from pg_stat_activity "
                    "where state like 'idle in transaction%' and datname = current_database()"
                )
            ).scalar_one()
    assert open_ones == 0


def test_network_calls_are_refused_inside_a_unit(db):
    with db.app_context():
        refuse_inside_unit("calling")
        with unit_of_work(), pytest.raises(UnitOfWorkMisuse, match="calling inside a unit of work"):
            refuse_inside_unit("calling")


def test_only_registered_jobs_can_be_asked_for(db):
    def stray(uow):
        pass

    with db.app_context(), unit_of_work() as uow:
        with pytest.raises(LookupError, match="is not a registered job"):
            uow.enqueue(stray)
        from jiki_core.mail.sending import deliver_mail

        with pytest.raises(TypeError, match="missing a required argument"):
            uow.enqueue(deliver_mail, key="x")


def test_uuid7_sorts_by_time_and_is_version_7():
    made = [uuid7() for _ in range(200)]
    assert {one.version for one in made} == {7}
    assert [one.int >> 80 for one in made] == sorted(one.int >> 80 for one in made)


def test_count_queries_counts_statements_and_no_bookkeeping(db):
    with count_queries(db) as log, db.app_context(), unit_of_work() as uow:
        uow.session.execute(text("select 1"))
    assert log.statements == ["select 1"]


def test_reads_of_one_request_share_one_connection(app):
    with app.app_context():
        for _ in range(database.engine.pool.size() + 1):
            reading().execute(text("select 1"))
        assert database.engine.pool.checkedout() == 1
