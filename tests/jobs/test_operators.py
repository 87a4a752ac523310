"""What operators see and do: commands and admin/jobs, each act audited with its reason."""

from __future__ import annotations

import json

import pytest

from jiki_core.cli.jobs import cli as jobs
from jiki_core.cli.outbox import cli as outbox
from jiki_core.db import unit_of_work
from jiki_core.db.outbox import OutboxState


def run(lab, group, *arguments, status=0, **options):
    done = lab.app.test_cli_runner().invoke(group, arguments, **options)
    assert done.exit_code == status, done.output
    return done.output


@pytest.fixture
def dead(lab):
    job_id = lab.ask("give_up")
    lab.drain()
    return job_id


def audits(lab):
    return [
        tuple(row) for row in lab.sql("select action, target_id, reason, actor_id from core.audit_events order by id")
    ]


def test_status_counts_by_kind_queue_and_state(lab, dead):
    told = json.loads(run(lab, jobs, "status", "--json"))
    assert told == {
        "counts": [{"kind": "job", "queue": "default", "state": "dead", "count": 1}],
        "oldest_due_seconds": 0.0,
    }
    assert "dead" in run(lab, jobs, "status")


def test_dead_lists_the_reason_and_retry_gives_the_tries_back(lab, dead):
    assert f"{dead} lab.give_up (1 failures): the file is gone for good" in run(lab, jobs, "dead")
    assert json.loads(run(lab, jobs, "dead", "--json", "--name", "lab.other")) == {"jobs": []}
    assert run(lab, jobs, "retry", str(dead), "--reason", "file restored") == f"retried {dead}\n"
    entry = lab.entry(dead)
    assert (entry.state, entry.failures, entry.reason) == (OutboxState.NEW, 0, None)
    assert audits(lab) == [("job:retried", str(dead), "file restored", None)]


def test_retry_all_takes_every_dead_job(lab, dead):
    assert f"retried {dead}" in run(lab, jobs, "retry", "--all", "--name", "lab.give_up", "--reason", "again")


def test_a_job_that_is_done_cannot_be_retried_or_cancelled(lab):
    job_id = lab.ask("count", key="a")
    lab.drain()
    assert "job_not_retryable" in run(lab, jobs, "retry", str(job_id), "--reason", "x", status=1)
    assert "job_not_cancellable" in run(lab, jobs, "cancel", str(job_id), "--reason", "x", status=1)


def test_a_dead_job_is_not_retried_beside_one_with_its_unique_key(lab):
    first = lab.ask("bump", key="a")
    lab.sql("update core.outbox set state = 'dead'")
    lab.ask("bump", key="a")
    assert "job_not_retryable" in run(lab, jobs, "retry", str(first), "--reason", "x", status=1)
    assert lab.entry(first).state == OutboxState.DEAD


def test_cancel_stops_a_job_that_waits(lab):
    job_id = lab.ask("count", key="a")
    run(lab, jobs, "cancel", str(job_id), "--reason", "typo")
    lab.drain(including_later=True)
    assert (lab.entry(job_id).state, lab.effects("a")) == (OutboxState.CANCELLED, 0)


def test_watch_shows_the_result(lab):
    job_id = lab.ask("long_way", key="a")
    lab.drain()
    assert '{"steps": 3}' in run(lab, jobs, "watch", str(job_id))


def test_watch_fails_for_a_dead_job_and_for_an_unknown_one(lab, dead):
    assert "the file is gone for good" in run(lab, jobs, "watch", str(dead), status=1)
    run(lab, jobs, "watch", "00000000-0000-0000-0000-000000000000", status=1)


def test_schedules_are_listed_paused_resumed_and_run(lab):
    assert "none yet" in run(lab, jobs, "schedule")
    run(lab, jobs, "schedule", "write")
    rows = {one["name"]: one for one in json.loads(run(lab, jobs, "schedule", "--json"))["schedules"]}
    assert rows["lab.catches_up"]["cron"] == "0 * * * *"
    assert rows["core.sweep_outbox"]["is_known"] is True
    run(lab, jobs, "schedule", "pause", "lab.catches_up", "--reason", "night")
    assert "paused: night" in run(lab, jobs, "schedule")
    run(lab, jobs, "schedule", "resume", "lab.catches_up")
    run(lab, jobs, "schedule", "run", "lab.catches_up", "--reason", "now")
    lab.drain()
    assert lab.effects("hour") == 1
    assert [audit[0] for audit in audits(lab)] == ["schedule:paused", "schedule:resumed", "schedule:run"]
    assert "there is no schedule lab.other" in run(lab, jobs, "schedule", "resume", "lab.other", status=1)
    assert "no running code declares" in run(lab, jobs, "schedule", "run", "lab.other", "--reason", "x", status=1)


def test_an_event_can_be_replayed(lab):
    with lab.app.app_context(), unit_of_work() as uow:
        event_id = uow.emit(lab.work.Counted("a"))
    assert "job_not_retryable" in run(lab, outbox, "replay", str(event_id), "--reason", "x", "--yes", status=1)
    lab.drain()
    listed = json.loads(run(lab, outbox, "ls", "--kind", "event", "--state", "done", "--json"))["entries"]
    assert [one["id"] for one in listed] == [str(event_id)]
    run(lab, outbox, "replay", str(event_id), "--reason", "listener was broken", "--yes")
    lab.drain()
    assert lab.effects("a") == 2
    assert audits(lab) == [("outbox:replayed", str(event_id), "listener was broken", None)]
    assert "lab.counted" in run(lab, outbox, "ls")


def test_admin_lists_shows_and_counts_jobs(lab, dead):
    lab.ask("count", key="a")
    client = lab.client(7)
    listed = client.get("admin/jobs?state=dead&name=lab.give_up&queue=default").expect(200).body
    assert [one["id"] for one in listed["results"]] == [str(dead)]
    assert listed["meta"]["total_count"] == 1
    assert client.get(f"admin/jobs/{dead}").expect(200).body["job"]["reason"] == "the file is gone for good"
    counts = client.get("admin/jobs/summary").expect(200).body["counts"]
    assert {"queue": "default", "state": "dead", "count": 1} in counts
    run(lab, jobs, "schedule", "write")
    names = {one["name"] for one in client.get("admin/jobs/schedules").expect(200).body["schedules"]}
    assert {"lab.every_minute", "core.sweep_keys"} <= names


def test_admin_retries_and_cancels_with_a_reason_and_an_actor(lab, dead):
    client = lab.client(7)
    client.post(f"admin/jobs/{dead}/retry", {}).expect(422, "validation_error")
    job = client.post(f"admin/jobs/{dead}/retry", {"reason": "restored"}).expect(200).body["job"]
    assert job["state"] == "new"
    job = client.post(f"admin/jobs/{dead}/cancel", {"reason": "no"}).expect(200).body["job"]
    assert (job["state"], job["reason"]) == ("cancelled", "cancelled: no")
    client.post(f"admin/jobs/{dead}/cancel", {"reason": "no"}).expect(422, "job_not_cancellable")
    client.post("admin/jobs/junk/retry", {"reason": "x"}).expect(404, "not_found")
    assert audits(lab) == [
        ("job:retried", str(dead), "restored", 7),
        ("job:cancelled", str(dead), "no", 7),
    ]


def test_admin_retries_all_dead_jobs_of_a_name(lab, dead):
    client = lab.client(7)
    other = lab.ask("bump", key="a")
    lab.sql("update core.outbox set state = 'dead' where id = :id", id=other)
    lab.ask("bump", key="a")
    told = client.post("admin/jobs/retry", {"reason": "restored", "name": "lab.give_up"}).expect(200).body
    assert (told, lab.entry(dead).state, lab.entry(other).state) == ({"retried": 1, "left": 0}, "new", "dead")
    assert client.post("admin/jobs/retry", {"reason": "all"}).expect(200).body == {"retried": 0, "left": 1}
    assert audits(lab) == [("job:retried", str(dead), "restored", 7)]


def test_admin_sees_the_plan_and_what_is_missing(lab):
    plan = lab.client(7).get("admin/jobs/plan").expect(200).body
    assert {"name": "lab.count", "plugin": "lab", "queue": "default", "schedule": None} in plan["jobs"]
    assert plan["listeners"]["lab.counted"] == ["lab.on.lab.counted.hear"]
    assert "no scheduler is alive: start one with `flask jobs scheduler`" in plan["mistakes"]


def test_admin_pauses_resumes_and_runs_schedules(lab):
    client = lab.client(7)
    run(lab, jobs, "schedule", "write")
    path = "admin/jobs/schedules/lab.catches_up"
    assert client.post(f"{path}/pause", {"reason": "night"}).expect(200).body["schedule"]["paused_reason"] == "night"
    assert client.post(f"{path}/resume").expect(200).body["schedule"]["paused_reason"] is None
    assert client.post(f"{path}/run", {"reason": "now"}).expect(200).body["job"]["name"] == "lab.catches_up"
    lab.drain()
    assert lab.effects("hour") == 1
    client.post("admin/jobs/schedules/lab.other/pause", {"reason": "x"}).expect(404, "not_found")
    client.post("admin/jobs/schedules/lab.other/run", {"reason": "x"}).expect(422, "schedule_not_runnable")
    assert audits(lab) == [
        ("schedule:paused", "lab.catches_up", "night", 7),
        ("schedule:resumed", "lab.catches_up", None, 7),
        ("schedule:run", "lab.catches_up", "now", 7),
    ]


def test_admin_lists_the_outbox_and_replays_an_event(lab):
    client = lab.client(7)
    with lab.app.app_context(), unit_of_work() as uow:
        event_id = uow.emit(lab.work.Counted("a"))
    client.post(f"admin/outbox/{event_id}/replay", {"reason": "x"}).expect(422, "job_not_retryable")
    lab.drain()
    listed = client.get("admin/outbox?kind=event&state=done&name=lab.counted").expect(200).body["results"]
    assert [one["id"] for one in listed] == [str(event_id)]
    copy = client.post(f"admin/outbox/{event_id}/replay", {"reason": "listener was broken"}).expect(201).body["entry"]
    assert (copy["kind"], copy["state"]) == ("event", "new")
    lab.drain()
    assert lab.effects("a") == 2
    assert audits(lab) == [("outbox:replayed", str(event_id), "listener was broken", 7)]
    client.post("admin/outbox/junk/replay", {"reason": "x"}).expect(404, "not_found")


def test_strangers_see_nothing(lab, dead):
    from jiki_core.testing import ApiClient

    ApiClient(lab.app).get("admin/jobs").expect(401, "unauthenticated")
    ApiClient(lab.app).get(f"internal/jobs/{dead}").expect(401, "unauthenticated")
