"""What operators see and do: commands and admin/jobs, each act audited with its reason."""

from __future__ import annotations

import json

import pytest
import requests

from jiki_core.cli.jobs import _left
from jiki_core.cli.jobs import cli as jobs
from jiki_core.cli.mail import cli as mail
from jiki_core.cli.outbox import cli as outbox
from jiki_core.db import unit_of_work
from jiki_core.db.outbox import JobOptions, OutboxState
from jiki_core.devserver.ports import free_port
from jiki_core.jobs import QUEUES
from jiki_core.jobs.exposition import serve_metrics
from jiki_core.jobs.relay import measure_outbox

UNKNOWN = "00000000-0000-0000-0000-000000000000"


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
    run(lab, jobs, "watch", UNKNOWN, status=1)


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


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("retry",), "name jobs by their ids, or say --all"),
        (("retry", "--name", "lab.count"), "name jobs by their ids, or say --all"),
        (("retry", UNKNOWN, "--name", "lab.count"), "--name goes with --all"),
        (("retry", UNKNOWN, "--all"), "name jobs by their ids, or say --all"),
        (("cancel",), "name jobs by their ids, or all of a kind by --name"),
        (("cancel", UNKNOWN, "--name", "lab.count"), "name jobs by their ids, or all of a kind by --name"),
    ],
)
def test_a_command_that_names_no_jobs_or_too_many_says_so(lab, arguments, sentence):
    assert sentence in run(lab, jobs, *arguments, "--reason", "x", status=2)


def test_nothing_to_do_is_told(lab):
    assert run(lab, jobs, "dead") == "no job is dead\n"
    assert run(lab, jobs, "retry", "--all", "--reason", "x") == "no job is dead\n"
    assert run(lab, jobs, "retry", "--all", "--name", "lab.count", "--reason", "x") == "no job lab.count is dead\n"
    told = run(lab, jobs, "cancel", "--name", "lab.count", "--reason", "x")
    assert told == "every job lab.count is done, or there is none\n"


def test_cancel_takes_every_job_of_a_name(lab, dead):
    waiting = [lab.ask("count", key=key) for key in ("a", "b")]
    told = run(lab, jobs, "cancel", "--name", "lab.count", "--reason", "its plugin is gone")
    assert told == "".join(f"cancelled {one}\n" for one in waiting)
    lab.drain(including_later=True)
    assert (lab.effects("a"), lab.effects("b"), lab.entry(dead).state) == (0, 0, OutboxState.DEAD)


def test_admin_jobs_leaves_other_rows_of_the_outbox_alone(lab):
    with lab.app.app_context(), unit_of_work() as uow:
        event_id = uow.emit(lab.work.Counted("a"))
    for act in ("cancel", "retry"):
        lab.client(7).post(f"admin/jobs/{event_id}/{act}", {"reason": "x"}).expect(404, "not_found")
    assert (lab.entry(event_id).state, audits(lab)) == (OutboxState.NEW, [])


def test_what_waits_for_its_turn_is_not_left_for_drain(lab):
    lab.ask("fail", JobOptions(order_key="line"), key="a")
    second = lab.ask("count", JobOptions(order_key="line"), key="b")
    lab.drain()
    with lab.app.app_context():
        assert (_left(QUEUES), lab.entry(second).state) == (0, OutboxState.NEW)
    lab.sql("update core.outbox set run_after = now()")
    with lab.app.app_context():
        assert _left(QUEUES) == 1


def test_commands_tell_what_is_away_instead_of_a_traceback(lab, make_app):
    away = {"DATABASE_URL": "postgresql://nobody:x@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    runner = make_app((), {"JIKI_PLUGINS_ENABLED": "lab", **away}).test_cli_runner()
    for group, arguments in ((jobs, ["status"]), (jobs, ["schedule"]), (outbox, ["ls"]), (mail, ["suppressions"])):
        done = runner.invoke(group, arguments)
        assert done.exit_code == 1
        assert done.output.startswith("Error: PostgreSQL does not answer (connection failed"), done.output
        assert done.output.endswith("; start it, or set DATABASE_URL\n")
    done = runner.invoke(jobs, ["plan"])
    assert (done.exit_code, done.output[:30]) == (1, "Error: Valkey does not answer ")


def test_a_worker_shows_its_metrics_on_an_address_of_its_own(lab, dead):
    port = free_port()
    server = serve_metrics("127.0.0.1", port)
    try:
        with lab.app.app_context():
            measure_outbox()
        shown = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10)
        assert requests.get(f"http://127.0.0.1:{port}/", timeout=10).status_code == 404
    finally:
        server.shutdown()
    assert "\njiki_jobs_dead 1.0\n" in shown.text


@pytest.mark.parametrize("command", ["worker", "scheduler"])
@pytest.mark.parametrize("address", ["9400", ":9400", "127.0.0.1:x", "127.0.0.1:0", "127.0.0.1:70000"])
def test_an_address_for_metrics_that_is_none_is_refused(lab, command, address):
    assert "is not HOST:PORT, such as 127.0.0.1:9400" in run(lab, jobs, command, "--metrics", address, status=2)


@pytest.mark.parametrize("path", ["admin/jobs?state=", "admin/outbox?state=", "admin/outbox?kind="])
def test_a_filter_that_means_nothing_is_no_empty_list(lab, path):
    client = lab.client(7)
    client.get(path).expect(200)
    member = path.partition("?")[2].removesuffix("=")
    answer = client.get(f"{path}bogus").expect(422, "validation_error")
    assert answer.error["errors"] == {member: [{"error": "inclusion", "value": "bogus"}]}
