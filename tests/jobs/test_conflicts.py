"""Transactions that meet: the whole unit runs again, a bounded number of times, and nobody notices."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from jiki_core.db.unit_of_work import current_unit, run_in_unit, unit_scope


def lock(uow, key):
    uow.session.execute(text("update core.seed_records set ran_at = now() where key = :key"), {"key": key})


def test_two_units_that_lock_each_other_out_both_succeed(lab):
    lab.sql("insert into core.seed_records (key) values ('first:row'), ('second:row')")
    both_hold_one, errors, tries = threading.Barrier(2), [], []

    def transfer(name, keys):
        def act(uow):
            tries.append(name)
            lock(uow, keys[0])
            if len(tries) <= 2:
                both_hold_one.wait(20)
            lock(uow, keys[1])
            lab.work.bump(uow, name)

        try:
            with lab.app.app_context():
                run_in_unit(act)
        except Exception as error:  # told to the test's own thread
            errors.append(error)

    flows = [
        threading.Thread(target=transfer, args=("a", ("first:row", "second:row"))),
        threading.Thread(target=transfer, args=("b", ("second:row", "first:row"))),
    ]
    for flow in flows:
        flow.start()
    for flow in flows:
        flow.join(60)
    assert errors == []
    assert len(tries) == 3
    assert (lab.effects("a"), lab.effects("b")) == (1, 1)


def always(sqlstate, tries):
    def act(uow):
        tries.append(1)
        uow.session.execute(text(f"do $$ begin raise exception 'no' using errcode = '{sqlstate}'; end $$"))

    return act


@pytest.mark.parametrize(
    ("sqlstate", "times"),
    [
        ("40001", 4),
        ("40P01", 4),
        ("23505", 1),  # a unique violation is an answer, not an accident
    ],
)
def test_the_number_of_tries_is_bounded(lab, sqlstate, times):
    tries = []
    with lab.app.app_context(), pytest.raises(DBAPIError):
        run_in_unit(always(sqlstate, tries))
    assert len(tries) == times


def test_the_value_is_returned_after_the_commit(lab):
    with lab.app.app_context():
        assert run_in_unit(lambda uow: uow.session.execute(text("select 7")).scalar_one()) == 7
        assert current_unit() is None


def test_a_unit_that_waits_for_its_answer_is_rolled_back_when_none_comes(lab):
    with lab.app.app_context():
        with unit_scope(is_deferring=True) as scope:
            run_in_unit(lambda uow: lab.work.bump(uow, "a"))
            assert current_unit() is scope.waiting is not None
        assert current_unit() is None
    assert lab.effects("a") == 0


def test_the_next_unit_commits_the_one_that_waits(lab):
    with lab.app.app_context(), unit_scope(is_deferring=True) as scope:
        run_in_unit(lambda uow: lab.work.bump(uow, "a"))
        run_in_unit(lambda uow: lab.work.bump(uow, "b"))
        assert scope.committed == 1
        scope.finish()
    assert (lab.effects("a"), lab.effects("b")) == (1, 1)
