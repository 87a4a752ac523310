"""COMMIT acknowledgements that never arrive: the answer is right all the same, and a repeat changes nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from jiki_core.db import commits, db, unit_of_work
from jiki_core.testing.pytest_plugin import scaled
from tests.faults.ledger import assert_each_once

pytestmark = [pytest.mark.fault, pytest.mark.timeout(420)]


class CutAtCommit:
    """Cuts the next connection that sends COMMIT while it is armed."""

    def __init__(self, verdict):
        self.verdict = verdict
        self.is_armed = False
        self.cuts = 0

    def __call__(self, piece):
        if not self.is_armed or b"COMMIT\0" not in piece.upper():
            return "pass"
        self.is_armed = False
        self.cuts += 1
        return self.verdict


def bump(lab, key):
    with lab.app.app_context(), unit_of_work() as uow:
        lab.work.bump(uow, key)


def test_a_commit_that_happened_is_a_success(lab_behind_proxy, database_proxy):
    cut = database_proxy.inspect = CutAtCommit("cut after")
    ran = []
    cut.is_armed = True
    with lab_behind_proxy.app.app_context(), unit_of_work() as uow:
        lab_behind_proxy.work.bump(uow, "a")
        uow.after_commit(lambda: ran.append(True))
    assert (cut.cuts, lab_behind_proxy.effects("a"), ran) == (1, 1, [True])


def test_a_commit_that_never_reached_the_server_is_a_failure(lab_behind_proxy, database_proxy):
    cut = database_proxy.inspect = CutAtCommit("cut")
    cut.is_armed = True
    with pytest.raises(OperationalError):
        bump(lab_behind_proxy, "a")
    assert (cut.cuts, lab_behind_proxy.effects("a")) == (1, 0)


def test_the_number_of_a_lost_transaction_that_another_one_got_does_not_make_it_a_success(
    lab, lab_behind_proxy, database_proxy, monkeypatch
):
    """What a crash of PostgreSQL may do: our COMMIT never arrives, and the transaction of our number did commit."""
    other = lab.sql("insert into core.seed_records (key) values ('x') returning pg_current_xact_id()::text as xid")
    asked = commits._did_commit
    monkeypatch.setattr(commits, "_did_commit", lambda xid, witness: asked(other[0].xid, witness))
    cut = database_proxy.inspect = CutAtCommit("cut")

    def ask():
        with lab_behind_proxy.app.app_context(), unit_of_work() as uow:
            uow.enqueue(lab_behind_proxy.work.count, key="a")
            cut.is_armed = True

    with pytest.raises(OperationalError):
        ask()
    assert (cut.cuts, lab.sql("select 1 from core.outbox")) == (1, [])


def test_what_a_unit_loaded_stays_readable_after_a_lost_acknowledgement(lab_behind_proxy, database_proxy):
    from jiki_core.db.records import SeedRecord

    lab_behind_proxy.sql("insert into core.seed_records (key) values ('kept:1')")
    cut = database_proxy.inspect = CutAtCommit("cut after")
    with lab_behind_proxy.app.app_context(), unit_of_work() as uow:
        found = uow.session.get(SeedRecord, "kept:1")
        lab_behind_proxy.work.bump(uow, "a")
        cut.is_armed = True
    assert (cut.cuts, found.key) == (1, "kept:1")


@pytest.mark.parametrize("verdict", ["cut after", "cut"])
def test_every_request_takes_effect_once_however_often_it_is_repeated(
    lab, lab_behind_proxy, database_proxy, seeded, verdict
):
    """500 requests, each losing one of its commits at random; the caller repeats it with its key until it succeeds."""
    total = scaled(500, least=50)
    cut = database_proxy.inspect = CutAtCommit(verdict)
    client = lab_behind_proxy.client()
    answers = {}
    for number in range(total):
        key = f"k{number}"
        for attempt in range(6):
            # The key's own transaction, the view's, or the one that looks the key up.
            cut.is_armed = attempt == 0 and seeded.random() < 0.9
            response = client.http.post(
                "/api/v1/internal/lab/count",
                json={"key": key},
                headers={"X-Lab-User": "7", "Idempotency-Key": key},
            )
            assert response.status_code in (201, 409, 503), response.get_json()
            if response.status_code == 201:
                break
        if response.status_code != 201:  # the key of a request whose reservation was lost: its lock runs out
            lab.sql("update core.idempotency_keys set locked_until = now() where key = :key", key=key)
            response = client.http.post(
                "/api/v1/internal/lab/count",
                json={"key": key},
                headers={"X-Lab-User": "7", "Idempotency-Key": key},
            )
        assert response.status_code == 201
        assert response.get_json()["rows"] == 1
        answers[key] = response.get_json()["job"]
    cut.is_armed = False
    assert cut.cuts > total / 2
    lab.drain()
    assert_each_once(lab, [*answers, *(f"{key}-job" for key in answers)])
    jobs = {str(row.id) for row in lab.sql("select id from core.outbox where kind = 'job'")}
    assert jobs == set(answers.values())


def test_a_server_that_restarts_in_between_is_asked_until_it_is_back(lab, lab_behind_proxy, database_proxy):
    """The connection breaks with the commit, and new ones are refused for a moment."""
    import threading

    cut = CutAtCommit("cut after")

    def inspect(piece):
        verdict = cut(piece)
        if verdict != "pass":
            database_proxy.is_refusing = True
            threading.Timer(1.0, lambda: setattr(database_proxy, "is_refusing", False)).start()
        return verdict

    database_proxy.inspect = inspect
    cut.is_armed = True
    bump(lab_behind_proxy, "a")
    assert (cut.cuts, lab.effects("a")) == (1, 1)
    with lab_behind_proxy.app.app_context(), db.engine.connect() as connection:
        assert connection.execute(text("select 1")).scalar_one() == 1
