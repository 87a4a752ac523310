"""A plugin that fails hurts only itself: its jobs and listeners are held after too many failures, and its costs are told."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, update

from jiki_core.db import reading, unit_of_work
from jiki_core.db.outbox import OutboxEntry, OutboxState
from jiki_core.db.records import AuditEvent, Notification
from jiki_core.errors import Unavailable
from jiki_core.jobs.relay import held_may_go_on
from jiki_core.observability.costs import Costs
from jiki_core.observability.metrics import render
from jiki_core.plugins.pausing import resume_plugin
from jiki_core.plugins.suspending import FAILURES_IN_A_ROW, FailureCounts
from jiki_core.runtime import runtime_of
from jiki_core.security import Identity
from jiki_core.testing import CableClient, SubscriptionRejected, drain_outbox, wait_until
from tests.plugins.test_pausing import BELL, WORK

FAILING = """
    @hookimpl
    def jiki_jobs(self) -> Sequence[Job]:
        from acme_faulty.work import good, bad
        from jiki_core.jobs import Retry

        return [Job(good), Job(bad, retry=Retry(limit=1))]

    @hookimpl
    def jiki_listeners(self) -> Sequence[Listener]:
        from acme_faulty.work import on_told

        return [Listener("faulty.told", on_told)]
"""
FAILING_WORK = """
from __future__ import annotations
from jiki_core.db import UnitOfWork

is_repaired = False
error = RuntimeError("always")

def good(uow: UnitOfWork) -> None:
    uow.notify(1, "faulty.good", {})

def bad(uow: UnitOfWork) -> None:
    if not is_repaired:
        raise error
    uow.notify(1, "faulty.bad", {})

def on_told(uow: UnitOfWork, event: dict) -> None:
    uow.notify(1, "faulty.heard", {})
"""


@pytest.fixture
def faulty(made_plugins, app_with):
    made_plugins.add("faulty", FAILING, files={"work.py": FAILING_WORK})
    return app_with()


def ask_for(app, job, count=1):
    with app.app_context(), unit_of_work() as uow:
        for _ in range(count):
            uow.enqueue(job)


def states(app):
    with app.app_context():
        return [tuple(row) for row in reading().execute(select(OutboxEntry.name, OutboxEntry.state))]


def test_failures_in_a_row_are_counted_and_a_success_starts_over():
    counts = FailureCounts(limit=3)
    assert [counts.fail("a") for _ in range(2)] == [False, False]
    counts.succeed("a")
    assert [counts.fail("a") for _ in range(3)] == [False, False, True]
    assert counts.fail("a") is False
    assert [counts.fail(name) for name in ("b", "c")] == [False, False]


def test_a_job_that_only_fails_is_suspended_audited_held_and_goes_on_after_resume(faulty):
    import acme_faulty.work as work

    ask_for(faulty, work.bad, FAILURES_IN_A_ROW)
    drain_outbox(faulty)
    reason = runtime_of(faulty).plugins.suspension_of("faulty.bad")
    assert reason == f"failed {FAILURES_IN_A_ROW} times in a row, the last time with: RuntimeError: always"
    ask_for(faulty, work.bad)
    ask_for(faulty, work.good)
    drain_outbox(faulty)
    assert ("faulty.bad", OutboxState.HELD) in states(faulty)
    assert ("faulty.good", OutboxState.DONE) in states(faulty), "the rest of the plugin goes on"
    with faulty.app_context():
        assert held_may_go_on() == 0
        actions = reading().execute(select(AuditEvent.action, AuditEvent.target_id, AuditEvent.plugin)).all()
        assert [tuple(row) for row in actions] == [("job:suspended", "faulty.bad", "faulty")]
        work.is_repaired = True
        with unit_of_work() as uow:
            assert resume_plugin(uow, "faulty")
        faulty.extensions["jiki.gate"].watcher.refresh()
        assert held_may_go_on() == 1
    drain_outbox(faulty, including_later=True)
    with faulty.app_context():
        assert sorted(reading().scalars(select(Notification.type))) == ["faulty.bad", "faulty.good"]


def test_a_success_between_failures_keeps_a_job_from_being_suspended(faulty):
    import acme_faulty.work as work

    for repaired in (False, True, False):
        work.is_repaired = repaired
        ask_for(faulty, work.bad, FAILURES_IN_A_ROW - 1)
        drain_outbox(faulty)
    assert runtime_of(faulty).plugins.suspension_of("faulty.bad") is None


def test_a_service_outside_that_is_away_suspends_no_job(faulty):
    import acme_faulty.work as work

    work.error = Unavailable()
    ask_for(faulty, work.bad, FAILURES_IN_A_ROW + 1)
    drain_outbox(faulty)
    assert ("faulty.bad", OutboxState.DEAD) in states(faulty), "they are failures of the job all the same"
    assert runtime_of(faulty).plugins.suspension_of("faulty.bad") is None


CHANNELS = """
    @hookimpl
    def jiki_channels(self) -> Sequence[type[Channel]]:
        from acme_shaky.channels import ShakyChannel, SteadyChannel

        return [ShakyChannel, SteadyChannel]
"""
CHANNELS_SOURCE = """
from __future__ import annotations
from jiki_core.cable import Channel, Rate, action

is_repaired = False

class SteadyChannel(Channel):
    truth = "GET /x"
    rate = Rate(100, per_seconds=1.0, burst=100)

    def subscribed(self) -> None:
        self.stream_from("steady")

    @action
    def say(self, data) -> None:
        self.transmit({"said": data.get("words")})

class ShakyChannel(SteadyChannel):
    name = "ShakyChannel"

    @action
    def say(self, data) -> None:
        if not is_repaired:
            raise RuntimeError("always")
        self.transmit({"said": data.get("words")})
"""


def test_a_channel_that_only_fails_is_suspended_audited_and_goes_on_after_resume(made_plugins, app_with):
    from jiki_auth.testing import signed_in

    made_plugins.add("shaky", CHANNELS, files={"channels.py": CHANNELS_SOURCE})
    app = app_with("auth")
    import acme_shaky.channels as channels

    plugins = runtime_of(app).plugins
    with CableClient(app, signed_in(app)) as cable:
        shaky, steady = cable.subscribe("ShakyChannel"), cable.subscribe("SteadyChannel")
        for _ in range(FAILURES_IN_A_ROW):
            shaky.perform("say", words="x")
            assert shaky.receive() == {"error": {"type": "internal_error"}}
        reason = plugins.suspension_of("ShakyChannel")
        assert reason == f"failed {FAILURES_IN_A_ROW} times in a row, the last time with: RuntimeError: always"
        channels.is_repaired = True
        shaky.perform("say", words="x")
        assert shaky.receive()["error"]["type"] == "plugin_paused"
        with CableClient(app, signed_in(app)) as other, pytest.raises(SubscriptionRejected):
            other.subscribe("ShakyChannel")
        steady.perform("say", words="the rest of the plugin goes on")
        assert steady.receive() == {"said": "the rest of the plugin goes on"}
        runtime_of(app).publish("steady", {"n": 1})
        assert shaky.receive() == {"n": 1}, "what others send still comes"
        with app.app_context():
            actions = reading().execute(select(AuditEvent.action, AuditEvent.target_id, AuditEvent.plugin)).all()
            assert ("channel:suspended", "ShakyChannel", "shaky") in [tuple(row) for row in actions]
            with unit_of_work() as uow:
                assert resume_plugin(uow, "shaky")
        wait_until(lambda: plugins.suspension_of("ShakyChannel") is None, seconds=2)
        shaky.perform("say", words="again")
        assert shaky.receive() == {"said": "again"}


DESCRIBED = """
    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        from jiki_core.http import Schema, fields

        class {name}Reply(Schema):
            {field}

        blp = Blueprint("{name}", __name__, url_prefix="/{name}")

        @blp.route("")
        @policy(public)
        @blp.response(200, {name}Reply)
        def index():
            return reply({{"said": "hello"}})

        return [Mount(blp, "external")]
"""


def test_a_schema_that_cannot_be_described_leaves_the_document_of_the_others_whole(made_plugins, app_with):
    made_plugins.add("clear", DESCRIBED.format(name="clear", field="said = fields.Text()"))
    made_plugins.add("murky", DESCRIBED.format(name="murky", field='said = fields.Nested("Nowhere")'))
    client = app_with().test_client()
    for _ in range(2):
        paths = client.get("/openapi/v1.json").get_json()["paths"]
        assert "/api/v1/external/clear" in paths
        assert "/api/v1/external/murky" not in paths
    assert client.get("/api/v1/external/murky").status_code == 200


def test_a_guard_may_take_fewer_arguments_and_is_asked_only_while_its_plugin_is_in_order(made_plugins, app_with):
    made_plugins.add(
        "terse",
        """
    @hookimpl
    def jiki_authorize(self, permission: str) -> bool | None:
        return permission == "terse.pass"
""",
    )
    host = app_with().extensions["jiki.host"]
    somebody = Identity(1, "session")
    assert host.authorize(somebody, "terse.pass", None) is True
    assert host.authorize(somebody, "terse.other", None) is False
    host.mark_schema({"terse": "its tables are behind"})
    assert host.authorize(somebody, "terse.pass", None) is False
    host.mark_schema({})
    assert host.authorize(somebody, "terse.pass", None) is True


def test_a_guard_that_cannot_ask_the_database_lets_nobody_in_and_says_come_back(made_plugins, app_with):
    made_plugins.add(
        "vault",
        """
    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        blp = Blueprint("vault", __name__, url_prefix="/vault")

        @blp.route("")
        @policy("vault.open")
        def index():
            return reply({"open": True})

        return [Mount(blp)]

    @hookimpl
    def jiki_permissions(self) -> Sequence[Permission | Role]:
        return [Permission("vault.open", "Open")]

    @hookimpl
    def jiki_authenticate(self, request: Any) -> Identity | None:
        from jiki_core.security import Identity

        return Identity(1, "session")

    @hookimpl
    def jiki_authorize(self, identity: Identity, permission: str, resource: Any) -> bool | None:
        from sqlalchemy.exc import OperationalError

        raise OperationalError("select 1", {}, Exception("the server closed the connection"), connection_invalidated=True)
""",
    )
    answer = app_with().test_client().get("/api/v1/internal/vault")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def test_failures_of_jobs_and_listeners_are_counted_by_plugin(faulty):
    import acme_faulty.work as work

    def counted():
        found = re.findall(r'jiki_plugin_failures_total{hook="job",plugin="faulty"} (\S+)', render()[0].decode())
        return float(found[0]) if found else 0.0

    before = counted()
    ask_for(faulty, work.bad, 3)
    drain_outbox(faulty)
    assert counted() - before == 3


def test_metrics_tell_what_each_plugin_costs(made_plugins, app_with):
    made_plugins.add("bell", BELL, files={"work.py": WORK})
    app = app_with()
    app.test_client().get("/api/v1/external/bell")
    runtime_of(app).authorize(Identity(1, "session"), "x.y", None)
    text = render()[0].decode()
    assert 'jiki_plugin_boot_seconds{plugin="bell"}' in text
    assert 'jiki_db_queries_per_request_count{plugin="bell"}' in text
    (calls,) = re.findall(r'jiki_plugin_hook_calls_total{hook="jiki_authorize",plugin="bell"} (\S+)', text)
    assert float(calls) >= 1
    assert 'jiki_plugin_hook_seconds_total{hook="jiki_authorize",plugin="bell"}' in text


def test_development_shows_the_costs_of_a_request_and_production_does_not(made_plugins, app_with):
    made_plugins.add("bell", BELL, files={"work.py": WORK})
    client = app_with(JIKI_ENV="development").test_client()
    client.get("/api/v1/external/bell")  # the first request also checks the tables
    shown = client.get("/api/v1/external/bell").headers["Server-Timing"]
    assert shown.startswith('bell;desc="total";dur=')
    assert 'db;desc="0 statements"' in shown
    assert "Server-Timing" not in app_with().test_client().get("/api/v1/external/bell").headers


def test_server_timing_names_statements_and_hooks():
    costs = Costs(statements=1, statement_seconds=0.002, by_plugin={"auth": 0.0005})
    assert costs.server_timing("learning", 0.01) == (
        'learning;desc="total";dur=10.0, db;desc="1 statement";dur=2.0, hooks-auth;dur=0.50'
    )


def test_statements_of_a_request_are_counted(client, app):
    client.get("internal/me").expect(401)
    with app.test_request_context():
        from jiki_core.observability.costs import current_costs, start_costs, stop_costs

        token = start_costs()
        reading().execute(select(1))
        reading().execute(update(Notification).where(Notification.user_id == 0).values(user_id=0))
        assert current_costs().statements == 2
        stop_costs(token)
        assert current_costs() is None
