"""What the core's own tables know of a person: told by an export, gone after an erasure."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from jiki_core.core_contributions import CORE_CONTRIBUTIONS
from jiki_core.db import db, unit_of_work
from jiki_core.db.outbox import JobOptions
from jiki_core.db.records import MutedNotification
from jiki_core.jobs.tracking import track
from jiki_core.mail import send_mail, suppress
from jiki_core.plugins.erasing import erase_person, export_person

CANARY = "canary8k3"
ADDRESS = f"{CANARY}@example.test"
USER_ID = 700_001

#: core tables that know nobody, or (the last three) whose rows go with their blobs, which tests/storage shows
IMPERSONAL = {
    "schedules",
    "schedule_ticks",
    "plugin_records",
    "seed_records",
    "uploads",
    "blobs",
    "attachments",
}
FILLED = {
    "outbox",
    "job_receipts",
    "audit_events",
    "notifications",
    "muted_notifications",
    "idempotency_keys",
    "mail_dedupe_keys",
    "mail_suppressions",
    "tracking_events",
}


@pytest.fixture
def person(lab, mail_catcher):
    """Every personal table of the core holds the canary."""
    with lab.app.app_context(), unit_of_work() as uow:
        send_mail(
            uow,
            "lab.receipt",
            to=ADDRESS.upper(),
            context={"name": "Ada"},
            dedupe_key=f"welcome:{CANARY}",
        )
        uow.enqueue_with(JobOptions(owner_id=USER_ID), lab.work.count, key=CANARY)
        uow.emit(lab.work.Counted(ADDRESS))
        uow.notify(USER_ID, "lab.praise", {"to": CANARY})
        uow.session.add(MutedNotification(user_id=USER_ID, type=f"lab.{CANARY}"))
        uow.audit("user:renamed", target_type="user", target_id=USER_ID, before={"name": CANARY})
        uow.audit("user:merged", target_type="user", target_id=1, after={"email": ADDRESS})
        uow.audit("mail_suppression:lifted", target_type="address", target_id=ADDRESS, reason=f"{ADDRESS} asked")
        suppress(uow, ADDRESS, "complaint", f"said {CANARY}")
        track(uow, "lab.visited", user_id=USER_ID, properties={"email": ADDRESS})
        track(uow, "lab.visited", properties={"email": ADDRESS})
    lab.client(USER_ID).post("internal/lab/count", {"key": "x"}, headers={"Idempotency-Key": CANARY}).expect(201)
    lab.drain()
    lab.sql("delete from core.seed_records")  # the laboratory's counters are named after what they count


def tables_with(lab, needle):
    with lab.app.app_context(), db.engine.connect() as connection:
        names = connection.execute(text("select tablename from pg_tables where schemaname = 'core'")).scalars().all()
        return {
            name
            for name in names
            if connection.execute(
                text(f"select 1 from core.{name} t where t::text ilike :needle limit 1"), {"needle": f"%{needle}%"}
            ).first()
        }


def erase(lab):
    with lab.app.app_context(), unit_of_work() as uow:
        return erase_person(uow, lab.app.extensions["jiki.host"], USER_ID, addresses=[ADDRESS], reason="asked")


def test_every_table_of_the_core_is_known_to_be_personal_or_not():
    assert {model.__tablename__ for model in CORE_CONTRIBUTIONS.models} <= FILLED | IMPERSONAL


def test_after_an_erasure_no_table_of_the_core_holds_the_person(lab, person):
    assert tables_with(lab, CANARY) == FILLED
    assert erase(lab) > 0
    lab.drain(including_later=True)
    assert tables_with(lab, CANARY) == set()
    assert not [key for key in lab.valkey.scan_iter() if CANARY.encode() in key]


def test_who_did_what_stays_provable_without_the_values(lab, person):
    erase(lab)
    rows = lab.sql('select action, before, "after", target_id, reason from core.audit_events order by id')
    assert [tuple(row) for row in rows[:3]] == [
        ("user:renamed", None, None, str(USER_ID), None),
        ("user:merged", None, None, "1", None),
        ("mail_suppression:lifted", None, None, None, "removed: it named a person who was erased"),
    ]
    assert rows[3].action == "user:erased"


def test_a_message_that_is_on_its_way_arrives_and_is_forgotten_then(lab):
    job_id = lab.ask("count", JobOptions(owner_id=USER_ID), key=CANARY)
    erase(lab)
    assert "outbox" in tables_with(lab, CANARY)
    lab.drain()
    lab.sql("delete from core.seed_records")
    assert lab.entry(job_id).state == "done"
    lab.drain(including_later=True)
    assert tables_with(lab, CANARY) == set()
    assert lab.sql("select 1 from core.outbox where id = :id", id=job_id) == []


def test_the_job_that_forgets_comes_again_while_something_is_on_its_way(lab):
    lab.ask("fail", JobOptions(owner_id=USER_ID), key="a")
    erase(lab)
    lab.drain()  # it failed, and waits ten minutes for its next try
    lab.sql("update core.outbox set run_after = now() where name = 'core.forget_person'")
    lab.drain()
    waiting = lab.sql("select payload from core.outbox where name = 'core.forget_person' and state = 'new'")
    assert [row.payload["looks_left"] for row in waiting] == [167]
    assert ADDRESS not in json.dumps(waiting[0].payload)


def test_other_peoples_rows_stay(lab, person):
    with lab.app.app_context(), unit_of_work() as uow:
        uow.notify(USER_ID + 1, "lab.praise", {"to": "somebody"})
        suppress(uow, "other@example.test", "bounce")
        track(uow, "lab.visited", user_id=USER_ID + 1)
        uow.audit("user:renamed", target_type="user", target_id=USER_ID + 1, before={"name": "Eve"})
    lab.drain()
    erase(lab)
    lab.drain(including_later=True)
    assert lab.sql("select count(*) from core.notifications where user_id = :id", id=USER_ID + 1)[0][0] == 1
    assert lab.sql("select count(*) from core.tracking_events where user_id = :id", id=USER_ID + 1)[0][0] == 1
    assert lab.sql("select address from core.mail_suppressions")[0].address == "other@example.test"
    assert lab.sql("select count(*) from core.audit_events where before ->> 'name' = 'Eve'")[0][0] == 1


def test_an_export_tells_messages_suppressions_and_deeds_without_contents(lab, person):
    with lab.app.app_context():
        told = export_person(lab.app.extensions["jiki.host"], USER_ID, [ADDRESS])["plugins"]["core"]
    assert {row["name"] for row in told["outbox"]} >= {"core.deliver_mail", "lab.count", "lab.counted"}
    assert told["mail_suppressions"][0]["cause"] == "complaint"
    assert told["idempotency_keys"][0]["key"] == CANARY
    assert told["tracking_events"][0]["properties"] == {"email": ADDRESS}
    assert told["notifications"][0]["data"] == {"to": CANARY}
    assert "payload" not in told["outbox"][0]
    json.dumps(told)
