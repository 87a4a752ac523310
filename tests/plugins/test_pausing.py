"""Pause and resume, line by line of architecture.md 2.2: within a second, everywhere, with nothing lost."""

from __future__ import annotations

import time

import psycopg
import pytest
from sqlalchemy import select, text

from jiki_core.contracts import Entitlements, ask
from jiki_core.db import db, reading, unit_of_work
from jiki_core.db.outbox import OutboxEntry, OutboxState
from jiki_core.db.records import AuditEvent, Notification
from jiki_core.jobs.relay import held_may_go_on
from jiki_core.plugins.pausing import Paused, dependents_of, effective_pauses, pause_plugin, resume_plugin
from jiki_core.plugins.runtime_state import ProcessRecord
from jiki_core.plugins.state import PluginState
from jiki_core.runtime import runtime_of
from jiki_core.testing import drain_outbox, wait_until

#: a plugin with a door of each kind
BELL = """
    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        blp = Blueprint("bell", __name__, url_prefix="/bell")

        @blp.route("")
        @policy(public)
        def index():
            return reply({"rings": True})

        return [Mount(blp, "external")]

    @hookimpl
    def jiki_jobs(self) -> Sequence[Job]:
        from acme_bell.work import ring

        return [Job(ring)]

    @hookimpl
    def jiki_listeners(self) -> Sequence[Listener]:
        from acme_bell.work import Pulled, on_pulled

        return [Listener(Pulled, on_pulled)]

    @hookimpl
    def jiki_providers(self) -> Sequence[Provider]:
        from acme_bell.work import Answers
        from jiki_core.contracts import Entitlements

        return [Provider(Entitlements, Answers)]

    @hookimpl
    def jiki_authorize(self, identity: Identity, permission: str, resource: Any) -> bool | None:
        return False if permission == "bell.silence" else None
"""
WORK = """
from __future__ import annotations
from dataclasses import dataclass
from jiki_core.db import UnitOfWork
from jiki_core.events import Event

@dataclass(frozen=True)
class Pulled(Event):
    name = "bell.pulled"
    user_id: int

def ring(uow: UnitOfWork, user_id: int) -> None:
    uow.notify(user_id, "bell.rang", {})

def on_pulled(uow: UnitOfWork, event: Pulled) -> None:
    uow.notify(event.user_id, "bell.heard", {})

class Answers:
    def check(self, user_id, entitlement):
        return True

    def check_many(self, entitlement, user_ids):
        return dict.fromkeys(user_ids, True)
"""


@pytest.fixture
def bell(made_plugins, app_with):
    made_plugins.add("bell", BELL, files={"work.py": WORK})
    made_plugins.add("tower", attributes='requires = ("bell>=1.0",)')
    return app_with()


def pause(app, name="bell", reason="repairs"):
    with app.app_context(), unit_of_work() as uow:
        return pause_plugin(uow, name, reason=reason)


def resume(app, name="bell"):
    with app.app_context(), unit_of_work() as uow:
        return resume_plugin(uow, name)


def is_paused(app, name="bell"):
    return runtime_of(app).plugins.is_paused(name)


def notified(app):
    with app.app_context():
        return sorted(reading().scalars(select(Notification.type)))


def rows(app, *columns):
    with app.app_context():
        return [tuple(row) for row in reading().execute(select(*columns))]


def test_dependents_pause_with_what_they_need_and_their_own_pause_stays():
    requires = {"auth": [], "learning": ["auth"], "i18n": [], "board": ["learning"]}
    assert effective_pauses({"auth": "why"}, requires) == dict.fromkeys(
        ("auth", "learning", "board"), Paused("auth", "why")
    )
    assert effective_pauses({"auth": "a", "board": "b"}, requires)["board"] == Paused("board", "b")
    assert effective_pauses({"gone": "x"}, requires) == {}
    assert dependents_of("auth", requires) == ["learning", "board"]


def test_routes_of_a_running_process_answer_503_within_a_second_and_again_200_after_resume(bell):
    client = bell.test_client()
    assert client.get("/api/v1/external/bell").status_code == 200
    pause(bell)
    started = time.monotonic()
    wait_until(lambda: client.get("/api/v1/external/bell").status_code == 503, seconds=2)
    assert time.monotonic() - started < 1
    answer = client.get("/api/v1/external/bell")
    assert answer.get_json()["error"]["type"] == "plugin_paused"
    assert int(answer.headers["Retry-After"]) >= 1
    resume(bell)
    started = time.monotonic()
    wait_until(lambda: client.get("/api/v1/external/bell").status_code == 200, seconds=2)
    assert time.monotonic() - started < 1


def test_a_process_that_starts_while_a_plugin_is_paused_knows_it_from_its_first_request(bell, app_with):
    pause(bell)
    assert app_with().test_client().get("/api/v1/external/bell").status_code == 503


def test_dependents_pause_too_and_say_because_of_whom(bell):
    pause(bell)
    wait_until(lambda: is_paused(bell, "tower"), seconds=2)
    states = {one.name: one for one in bell.extensions["jiki.host"].statuses()}
    assert states["bell"].state is PluginState.PAUSED
    assert states["bell"].cause == "repairs"
    assert states["tower"].cause == "it requires bell, which is paused: repairs"
    assert states["tower"].remedy == "run `flask plugins resume bell`"


def test_jobs_and_listeners_are_held_and_drain_after_resume(bell):
    from acme_bell.work import Pulled, ring

    pause(bell)
    wait_until(lambda: is_paused(bell), seconds=2)
    with bell.app_context(), unit_of_work() as uow:
        uow.enqueue(ring, user_id=1)
        uow.emit(Pulled(user_id=2))
    drain_outbox(bell)
    assert notified(bell) == []
    held = [name for name, state in rows(bell, OutboxEntry.name, OutboxEntry.state) if state == OutboxState.HELD]
    assert sorted(held) == ["bell.on.bell.pulled.on_pulled", "bell.ring"]
    resume(bell)
    wait_until(lambda: not is_paused(bell), seconds=2)
    with bell.app_context():
        assert held_may_go_on() == 2
    drain_outbox(bell, including_later=True)
    assert notified(bell) == ["bell.heard", "bell.rang"]


def test_what_it_answers_counts_as_failing_so_that_nobody_becomes_premium(bell):
    with bell.app_context():
        assert ask(Entitlements).check_many("premium", [1]) == {1: True}
        pause(bell)
        wait_until(lambda: is_paused(bell), seconds=2)
        assert ask(Entitlements).check_many("premium", [1]) == {1: False}
        assert ask(Entitlements).check(7, "premium") is False


def test_the_last_good_answer_of_a_paused_provider_holds_for_a_while(bell):
    with bell.app_context():
        assert ask(Entitlements).check(1, "premium") is True
        pause(bell)
        wait_until(lambda: is_paused(bell), seconds=2)
        assert ask(Entitlements).check(1, "premium") is True
        assert ask(Entitlements).check(2, "premium") is False


def test_a_listed_provider_that_cannot_be_loaded_is_failing_and_not_absent(made_plugins, app_with):
    made_plugins.add("bell", source="raise RuntimeError('broken')\n")
    app = app_with()
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(
            text(
                "insert into core.plugin_records (name, version, package, provides) values "
                "('bell', '1.0', 'acme_bell', '{jiki_core.contracts.core.Entitlements}')"
            )
        )
    try:
        assert app.test_client().get("/health-check").status_code == 200
        with app.app_context():
            assert ask(Entitlements).check(404, "premium") is False
    finally:
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(text("delete from core.plugin_records where name = 'bell'"))


def test_guards_of_a_paused_plugin_keep_running(bell):
    from jiki_core.security import Identity

    pause(bell)
    wait_until(lambda: is_paused(bell), seconds=2)
    host = bell.extensions["jiki.host"]
    assert [name for name, _ in host._implementations("jiki_authorize")] == ["bell"]
    assert runtime_of(bell).authorize(Identity(1, "session"), "bell.silence", None) is False


def test_a_pause_is_audited_with_its_reason_and_so_is_the_resume(bell):
    assert pause(bell, reason="leak") is True
    assert pause(bell, reason="still a leak") is False
    assert resume(bell) is True
    assert resume(bell) is False
    assert rows(bell, AuditEvent.action, AuditEvent.target_id, AuditEvent.reason) == [
        ("plugin:paused", "bell", "leak"),
        ("plugin:paused", "bell", "still a leak"),
        ("plugin:resumed", "bell", None),
    ]


def test_without_postgresql_the_last_known_state_holds(bell):
    watcher = bell.extensions["jiki.gate"].watcher
    pause(bell)
    wait_until(lambda: is_paused(bell), seconds=2)
    good = watcher._database_url
    wait_until(lambda: end_connections_of_watchers(bell), what="the watcher's connection")
    watcher._database_url = "postgresql://nobody@127.0.0.1:1/none"
    wait_until(lambda: end_connections_of_watchers(bell) or not watcher._is_reachable, seconds=5)
    wait_until(lambda: not watcher._is_reachable, seconds=5)
    assert is_paused(bell)
    with pytest.raises(psycopg.OperationalError):
        watcher.refresh()
    watcher._database_url = good
    resume(bell)
    wait_until(lambda: not is_paused(bell), seconds=5)


def test_pausing_works_while_valkey_is_down(made_plugins, app_with):
    made_plugins.add("bell", BELL, files={"work.py": WORK})
    app = app_with(REDIS_URL="redis://127.0.0.1:1/0")
    pause(app)
    wait_until(lambda: is_paused(app), seconds=2)
    resume(app)
    wait_until(lambda: not is_paused(app), seconds=2)


def test_a_serving_process_tells_that_it_lives_and_which_state_it_acts_on(bell):
    assert bell.test_client().get("/api/v1/external/bell").status_code == 200

    def mine():
        with bell.app_context():
            statement = select(ProcessRecord).where(
                ProcessRecord.id == bell.extensions["jiki.gate"].watcher._process_id
            )
            return reading().execute(statement).scalar_one_or_none()

    wait_until(lambda: mine() is not None, seconds=3)
    assert mine().role == "web"
    assert set(mine().plugins) == {"bell", "tower"}
    pause(bell)
    wait_until(lambda: mine().plugins["bell"]["state"] == "paused", seconds=3)
    bell.extensions["jiki.gate"].watcher.stop()
    assert mine() is None


def test_the_command_lists_what_pauses_with_it_and_waits_until_all_have_seen_it(bell, made_plugins):
    bell.test_client().get("/api/v1/external/bell")
    done = made_plugins.flask("plugins", "pause", "bell", "--reason", "repairs", **services_of(bell))
    assert done.returncode == 0, done.stderr
    assert "bell: 1 route, 1 job, 1 listener; failing: Entitlements" in done.stdout
    assert "paused: bell, tower" in done.stdout
    assert "1 of 1 running processes have seen it" in done.stdout
    assert is_paused(bell)
    listed = made_plugins.flask("plugins", "list", **services_of(bell))
    assert "tower            1.0.0      paused" in listed.stdout
    dependent = made_plugins.flask("plugins", "resume", "tower", **services_of(bell))
    assert "tower was not paused by itself: it requires bell, which is paused: repairs; run" in dependent.stdout
    done = made_plugins.flask("plugins", "resume", "bell", **services_of(bell))
    assert "resumed: bell, tower; held jobs that go on: 0" in done.stdout, done.stderr


def test_the_command_refuses_what_is_required_without_force(bell, made_plugins):
    settings = {**services_of(bell), "JIKI_PLUGINS_REQUIRED": "tower"}
    refused = made_plugins.flask("plugins", "pause", "bell", "--reason", "x", **settings)
    assert refused.returncode == 1
    assert "tower is required; pause it all the same with --force" in refused.stderr
    assert made_plugins.flask("plugins", "pause", "bell", "--reason", "x", "--force", **settings).returncode == 0


def test_the_command_gives_the_nearest_name_for_one_that_is_not_installed(bell, made_plugins):
    refused = made_plugins.flask("plugins", "pause", "bel", "--reason", "x", **services_of(bell))
    assert refused.returncode == 1
    assert "there is no plugin bel; did you mean bell?" in refused.stderr


def end_connections_of_watchers(app):
    kill = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'jiki-watcher'"
    with app.app_context(), db.engine.connect() as connection:
        return connection.execute(text(kill)).all()


def services_of(app):
    settings = runtime_of(app).settings
    return {"DATABASE_URL": settings.database_url.reveal(), "REDIS_URL": settings.redis_url.reveal()}
