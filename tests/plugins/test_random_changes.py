"""Random sequences of enable, disable, install, upgrade, roll back, uninstall, pause, resume and purge over five plugins.

After every step each plugin is in the state that the rules of architecture.md 2.2 give, none hurt by another; work that
waits is kept; a purge leaves no reference. At the end all is switched on again and every piece of work has happened once.
"""

from __future__ import annotations

import importlib
import itertools
import sys
import time
from collections import Counter

import pytest
from flask import Flask
from flask.cli import FlaskGroup
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from jiki_core.app import create_app
from jiki_core.db import db, reading, unit_of_work
from jiki_core.db.migration_sets import core_set, upgrade
from jiki_core.db.outbox import IN_FLIGHT, JobOptions
from jiki_core.runtime import runtime_of
from jiki_core.settings import Sources
from jiki_core.testing import drain_outbox
from jiki_core.testing.databases import dispose, truncate_all
from jiki_core.testing.pytest_plugin import scaled
from tests.plugins.generated_plugins import FIVE, VERSIONS, write_generated

NAMES = [one.name for one in FIVE]
SPECS = {one.name: one for one in FIVE}
plugins = st.sampled_from(NAMES)
#: the `flask` command, with the core's commands from its entry points
FLASK = FlaskGroup()


class World:
    """The database, the written distributions, and apps for any selection of them."""

    def __init__(self, folder, services):
        self.sites = {
            (one.name, version): str(write_generated(folder, one, version)) for one in FIVE for version in VERSIONS
        }
        self.environment = {
            "JIKI_ENV": "test",
            "DATABASE_URL": services.create_database("jiki_random_changes"),
            "REDIS_URL": services.redis_url_of(55),
            "JIKI_LOG_LEVEL": "ERROR",
            "JIKI_DATABASE_POOL_SIZE": "2",
        }
        bare = self.app_of([], {})
        with bare.app_context():
            upgrade(db.engine, [core_set()])
        dispose(bare)

    def app_of(self, enabled, installed) -> Flask:
        """An app of this selection, with just these versions (name -> version) on the path."""
        every = set(self.sites.values())
        sys.path[:] = [
            *(self.sites[item] for item in installed.items()),
            *(one for one in sys.path if one not in every),
        ]
        importlib.invalidate_caches()
        environment = {**self.environment, "JIKI_PLUGINS_ENABLED": ",".join(enabled)}
        return create_app("maintenance", sources=Sources({}, environment))

    def clean(self, app):
        truncate_all(app)
        with app.app_context(), db.engine.begin() as connection:
            for name in NAMES:
                connection.execute(text(f"drop schema if exists {name} cascade"))
            connection.execute(text("delete from core.plugin_records"))
        runtime_of(app).redis.flushdb()


class RandomChanges(RuleBasedStateMachine):
    """What should be, beside what is."""

    def __init__(self, world):
        super().__init__()
        self.world = world
        self.installed = dict.fromkeys(NAMES, 1)
        self.enabled: list[str] = []
        self.paused: set[str] = set()
        self.schemas: set[str] = set()
        #: token -> plugin that has to do it
        self.owed: dict[str, str] = {}
        self.numbers = itertools.count()
        self.app = world.app_of([], self.installed)
        world.clean(self.app)

    # -- what should be ----------------------------------------------------------------------------------------------

    def is_loaded(self, name):
        is_there = name in self.enabled and name in self.installed
        return is_there and all(self.is_loaded(needed) for needed in SPECS[name].requires)

    def is_paused(self, name):
        return name in self.paused or any(self.is_paused(needed) for needed in SPECS[name].requires)

    def is_open(self, name):
        return self.is_loaded(name) and not self.is_paused(name)

    def state_of(self, name):
        if name not in self.enabled:
            return "available"
        if not self.is_loaded(name):
            return "blocked"
        return "paused" if self.is_paused(name) else "running"

    def premium(self):
        """What a school may rely on: absent grants, failing denies (2.4)."""
        if "zalpha" not in self.enabled:
            return [True, True]
        return [self.is_open("zalpha"), False]

    # -- what happens ------------------------------------------------------------------------------------------------

    def flask(self, *arguments):
        return self.app.test_cli_runner().invoke(FLASK, args=list(arguments))

    def deploy(self):
        """Every process starts anew on the selection, after the migrations; then plugins are told."""
        dispose(self.app)
        self.app = self.world.app_of(self.enabled, self.installed)
        done = self.flask("db", "upgrade")
        assert done.exit_code == 0, done.output
        applied = self.flask("plugins", "apply")
        assert applied.exit_code == 0, applied.output
        self.schemas |= {name for name in NAMES if self.is_loaded(name)}

    def near(self, name, suits):
        """The plugin, or the next in line that suits, so that few steps do nothing; None when none does."""
        at = NAMES.index(name)
        return next((one for one in [*NAMES[at:], *NAMES[:at]] if suits(one)), None)

    @initialize(enabled=st.sets(plugins, min_size=2))
    def begin(self, enabled):
        self.enabled = sorted(enabled)
        self.deploy()

    @rule(name=plugins)
    def enable(self, name):
        chosen = self.near(name, lambda one: one in self.installed and one not in self.enabled)
        if chosen:
            self.enabled.append(chosen)
            self.deploy()

    @rule(name=plugins)
    def disable(self, name):
        if name in self.enabled:
            self.enabled.remove(name)
            self.deploy()

    @rule(name=plugins, version=st.sampled_from(VERSIONS))
    def install(self, name, version):
        """A first version, an upgrade or a roll-back."""
        if self.installed.get(name) != version:
            self.installed[name] = version
            self.deploy()

    @rule(name=plugins)
    def uninstall(self, name):
        if name in self.installed and name not in self.enabled:
            del self.installed[name]
            self.deploy()

    @rule(name=plugins)
    def pause(self, name):
        done = self.flask("plugins", "pause", name, "--reason", "at random")
        if self.is_loaded(name):
            assert done.exit_code == 0, done.output
            self.paused.add(name)
        else:
            assert done.exit_code == 1
        self.app.extensions["jiki.gate"].watcher.refresh()

    @rule(name=plugins)
    def resume(self, name):
        if name in self.installed:
            done = self.flask("plugins", "resume", name)
            assert done.exit_code == 0, done.output
            self.paused.discard(name)
            self.app.extensions["jiki.gate"].watcher.refresh()

    @rule(name=plugins)
    def purge(self, name):
        if name in self.enabled:
            assert self.flask("plugins", "purge", name, "--confirm", name).exit_code == 1
            return
        done = self.flask("plugins", "purge", name, "--confirm", name, "--no-export")
        is_referred_to = any(name in SPECS[other].requires for other in self.schemas)
        if name not in self.schemas or is_referred_to:
            assert done.exit_code == 1, done.output
            return
        assert done.exit_code == 0, done.output
        self.schemas.discard(name)
        self.paused.discard(name)
        self.owed = {token: owner for token, owner in self.owed.items() if owner != name}
        self.app.extensions["jiki.gate"].watcher.refresh()
        assert references_to(self.app, name) == {}

    @rule(name=plugins)
    def ask_for_work(self, name):
        """A job and an event; those who listen now owe an answer, whether paused or not."""
        name = self.near(name, self.is_loaded)
        if name is None:
            return
        work = importlib.import_module(f"acme_{name}_v{self.installed[name]}.work")
        token = f"{name}-{next(self.numbers)}"
        with self.app.app_context(), unit_of_work() as uow:
            uow.enqueue_with(JobOptions(priority="high"), work.note, token=token)
            uow.emit(work.Happened(token=token))
        self.owed[token] = name
        for other in NAMES:
            if f"{name}.happened" in SPECS[other].hears and self.is_loaded(other):
                self.owed[f"heard:{token}:{other}"] = other

    @precondition(lambda self: self.owed)
    @rule()
    def work_off(self):
        drain(self.app)
        done = effects(self.app, self.schemas)
        for token, owner in self.owed.items():
            if self.is_open(owner) and not token.startswith("heard:"):
                assert done[token, owner] == 1 or self.waits_for_newer_code(token), (token, owner)

    def waits_for_newer_code(self, token):
        """Asked for by version 2 under the job's new name, which version 1 does not know."""
        return self.installed[self.owed[token]] == 1

    # -- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def every_plugin_is_in_its_state_and_answers_accordingly(self):
        client = self.app.test_client()
        states = {one.name: one for one in self.app.extensions["jiki.host"].statuses()}
        for name in NAMES:
            if name in self.installed:
                assert states[name].state == self.state_of(name), states[name].sentence()
            answer = client.get(f"/api/v1/external/{name}")
            expected = 200 if self.is_open(name) else 503 if self.is_loaded(name) else 404
            assert answer.status_code == expected, (name, answer.get_json())
            if expected == 200:
                body = answer.get_json()
                assert (body["version"], body["premium"]) == (self.installed[name], self.premium())

    @invariant()
    def no_work_is_lost_or_done_twice(self):
        done, waiting = effects(self.app, self.schemas), waiting_tokens(self.app)
        for token, owner in self.owed.items():
            plain = token.rpartition(":")[0] if token.startswith("heard:") else token
            assert done[plain, owner] <= 1, (token, owner)
            assert done[plain, owner] == 1 or plain.removeprefix("heard:") in waiting, (
                token,
                owner,
                self.state_of(owner),
            )

    def teardown(self):
        """All on, newest versions, nothing paused: everything that is owed happens, once."""
        self.installed, self.enabled = dict.fromkeys(NAMES, 2), list(NAMES)
        self.deploy()
        for name in sorted(self.paused):
            self.resume(name)
        drain(self.app)
        done = effects(self.app, self.schemas)
        for token, owner in self.owed.items():
            plain = token.rpartition(":")[0] if token.startswith("heard:") else token
            assert done[plain, owner] == 1, (token, owner)
        self.every_plugin_is_in_its_state_and_answers_accordingly()
        dispose(self.app)


def drain(app):
    """Runs what can run now; what waits for a plugin or for newer code stays."""
    with app.app_context(), unit_of_work() as uow:
        uow.session.execute(text("update core.outbox set run_after = now() where state = 'new'"))
    drain_outbox(app)


def effects(app, schemas):
    """(token, plugin) -> how often its work took effect."""
    found: Counter[tuple[str, str]] = Counter()
    with app.app_context():
        for name in schemas:
            for token in reading().execute(text(f"select text from {name}.notes")).scalars():
                found[token, name] += 1
    return found


def waiting_tokens(app):
    """Tokens of rows that are still going to be acted on."""
    statement = (
        "select coalesce(payload ->> 'token', payload -> 'payload' ->> 'token') from core.outbox "
        "where state = any(:states) and kind <> 'broadcast'"
    )
    with app.app_context():
        rows = reading().execute(text(statement), {"states": [str(one) for one in IN_FLIGHT]})
        return set(rows.scalars())


def references_to(app, name):
    """Table of the core -> rows that still name the plugin; the audit trail keeps what happened, and rows of others
    may say what they heard."""
    found = {}
    with app.app_context(), db.engine.connect() as connection:
        tables = connection.execute(
            text("select tablename from pg_tables where schemaname = 'core' and tablename <> 'audit_events'")
        ).scalars()
        for table in list(tables):
            others = " and name not like 'z%.on.%'" if table == "outbox" else ""
            count = connection.execute(
                text(f"select count(*) from core.{table} as t where t::text ~ :pattern{others}"),
                {"pattern": rf"\m{name}\M"},
            ).scalar_one()
            if count:
                found[table] = count
        schema = connection.execute(text("select 1 from pg_namespace where nspname = :name"), {"name": name})
        if schema.first() is not None:
            found["schema"] = 1
    return found


@pytest.fixture
def world(tmp_path, services):
    before = list(sys.path)
    yield World(tmp_path, services)
    sys.path[:] = before
    for name in [one for one in sys.modules if one.startswith("acme_z")]:
        del sys.modules[name]
    importlib.invalidate_caches()


def run_sequences(world, count):
    """Runs random sequences; seconds that they took."""
    started = time.monotonic()
    run_state_machine_as_test(
        lambda: RandomChanges(world),
        settings=settings(
            max_examples=count,
            stateful_step_count=10,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # a failure is told as it was found: finding a shorter one takes very long here
            suppress_health_check=list(HealthCheck),
        ),
    )
    return time.monotonic() - started


@pytest.mark.timeout(120)
def test_a_few_random_sequences_break_nothing_lose_nothing_and_leave_nothing(world):
    run_sequences(world, 10)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_a_thousand_random_sequences_break_nothing_lose_nothing_and_leave_nothing(world, record_property):
    count = scaled(1_000, least=20)
    record_property("sequences", count)
    record_property("seconds", round(run_sequences(world, count), 1))
