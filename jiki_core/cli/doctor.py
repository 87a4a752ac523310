"""`flask doctor`: everything an operator would look at, one line each, with what to do about it. Changes nothing."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator

import click
import psycopg
import redis
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from jiki_core.cli.plugin_host import the_gate, the_host
from jiki_core.configuration import Configuration
from jiki_core.db import db, reading
from jiki_core.db.migration_sets import core_set, set_status
from jiki_core.db.outbox import OutboxEntry, OutboxState
from jiki_core.plugins.health import HealthBoard
from jiki_core.plugins.quality import Finding
from jiki_core.plugins.reasons import Process, disagreements
from jiki_core.plugins.runtime_state import PluginSuspension, ProcessRecord
from jiki_core.plugins.state import PluginState
from jiki_core.plugins.watching import GONE_AFTER_SECONDS
from jiki_core.runtime import SERVING_ROLES, runtime
from jiki_core.schema_gate import plugin_sets, readable_sets

#: clocks that differ by more than this make tokens, leases and limits unreliable (trust.md 2.2)
_TOLERATED_SKEW_SECONDS = 5.0
_TOLERATED_WAIT_SECONDS = 60.0


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def cli(as_json: bool) -> None:
    """Look at configuration, services, clocks, tables, plugins, processes and waiting work; exits with 1 when something fails.

    Works with plugins broken and services down: each of those is a line.
    """
    found: list[Finding] = [*_configuration(), *_postgresql(), *_valkey()]
    if all(one.holds for one in found if one.point.startswith("PostgreSQL")):
        for look in (_tables, _plugins, _processes, _work, _health):
            found += _safely(look)
    else:
        found += _plugins()
    if as_json:
        told = [{"point": one.point, "holds": one.holds, "remedy": one.remedy} for one in found]
        click.echo(json.dumps({"points": told}))
    for one in found if not as_json else ():
        click.echo(f"{'ok  ' if one.holds else 'FAIL'} {one.point}" + ("" if one.holds else f": {one.remedy}"))
    if not all(one.holds for one in found):
        raise SystemExit(1)


def _safely(look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """A database without the tables that are looked into is told by `_tables` already."""
    try:
        return list(look())
    except SQLAlchemyError as error:
        return [
            Finding(look.__name__.strip("_"), f"could not be asked ({type(error).__name__}); run `flask db upgrade`")
        ]


def _configuration() -> Iterator[Finding]:
    configuration: Configuration = current_app.extensions["jiki.configuration"]
    mistakes = [str(one) for one in (*the_host().unknown, *configuration.core.missing_services())]
    yield Finding("configuration", "; ".join(mistakes))


def _postgresql() -> Iterator[Finding]:
    if not runtime().settings.database_url:
        yield Finding("PostgreSQL answers", "set DATABASE_URL")
        return
    try:
        with db.engine.connect() as connection:
            theirs = connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one()
    except (SQLAlchemyError, psycopg.Error) as error:
        yield Finding("PostgreSQL answers", f"{type(error).__name__}; start it, or correct DATABASE_URL")
        return
    yield Finding("PostgreSQL answers")
    yield _clock("PostgreSQL's clock agrees with ours", float(theirs))


def _valkey() -> Iterator[Finding]:
    if not runtime().settings.redis_url:
        yield Finding("Valkey answers", "set REDIS_URL")
        return
    try:
        seconds, microseconds = runtime().redis.time()
    except redis.RedisError as error:
        yield Finding("Valkey answers", f"{type(error).__name__}; start it, or correct REDIS_URL")
        return
    yield Finding("Valkey answers")
    yield _clock("Valkey's clock agrees with ours", seconds + microseconds / 1e6)


def _clock(point: str, theirs: float) -> Finding:
    skew = abs(theirs - time.time())
    told = f"they differ by {skew:.0f} s; let both follow a time server"
    return Finding(point, told if skew > _TOLERATED_SKEW_SECONDS else "")


def _tables() -> Iterator[Finding]:
    readable, broken = readable_sets([core_set(), *plugin_sets(the_host())])
    for name, why in broken.items():
        yield Finding(f"tables of {name}", why)
    with db.engine.connect() as connection:
        for one in readable.values():
            lacking = set_status(connection, one).behind
            yield Finding(
                f"tables of {one.name}", f"{lacking} revision(s) behind; run `flask db upgrade`" if lacking else ""
            )


def _plugins() -> Iterator[Finding]:
    host = the_host()
    if runtime().settings.database_url:
        with contextlib.suppress(SQLAlchemyError, psycopg.Error):  # told already: the rest is told all the same
            the_gate().look()
    for status in host.statuses():
        if not host.is_listed(status.name):
            continue
        is_well = status.state in (PluginState.RUNNING, PluginState.PAUSED)
        yield Finding(f"plugin {status.name} {status.version}", "" if is_well else f"{status.cause}; {status.remedy}")


def _processes() -> Iterator[Finding]:
    alive = list(
        reading().scalars(
            select(ProcessRecord).where(
                ProcessRecord.seen_at > func.now() - func.make_interval(0, 0, 0, 0, 0, 0, GONE_AFTER_SECONDS)
            )
        )
    )
    missing = sorted(SERVING_ROLES - {one.role for one in alive} - {"cable"})  # web may serve sockets too
    yield Finding("processes run", f"there is no {' and no '.join(missing)}; see docs/operations.md" if missing else "")
    processes = [Process(f"{one.role}@{one.host}:{one.pid}", one.fingerprint, one.plugins) for one in alive]
    yield Finding("processes run the same plugins", "; ".join(disagreements(processes)))


def _work() -> Iterator[Finding]:
    dead = reading().scalar(select(func.count()).select_from(OutboxEntry).where(OutboxEntry.state == OutboxState.DEAD))
    yield Finding("no job has died", f"{dead} have; see `flask jobs dead`" if dead else "")
    waited = reading().scalar(
        select(func.extract("epoch", func.clock_timestamp() - func.min(OutboxEntry.run_after))).where(
            OutboxEntry.state == OutboxState.NEW, OutboxEntry.run_after <= func.clock_timestamp()
        )
    )
    late = f"the oldest has waited {float(waited):.0f} s; see `flask jobs status`" if waited else ""
    yield Finding("work is not late", late if waited and waited > _TOLERATED_WAIT_SECONDS else "")
    for name, plugin, reason in reading().execute(
        select(PluginSuspension.name, PluginSuspension.plugin, PluginSuspension.reason)
    ):
        yield Finding(f"{name} is not suspended", f"{reason}; mend it, then `flask plugins resume {plugin}`")


def _health() -> Iterator[Finding]:
    board: HealthBoard = current_app.extensions["jiki.health"]
    for one in board.look():
        yield Finding(f"health of {one.plugin}: {one.check}", one.trouble)
