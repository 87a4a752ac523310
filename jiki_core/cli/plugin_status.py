"""`flask plugins why|check|status`: reasons, a verdict for scripts, and whether all processes run the same plugins."""

from __future__ import annotations

import json

import click
from flask import current_app
from flask.cli import with_appcontext
from packaging.requirements import Requirement
from sqlalchemy import func, select

from jiki_core.cli.plugin_host import installed, look_at_database, need_database, the_host
from jiki_core.db import reading
from jiki_core.plugins.health import HealthBoard
from jiki_core.plugins.reasons import Process, disagreements, reason_tree, use_misfit
from jiki_core.plugins.runtime_state import PluginSuspension, ProcessRecord
from jiki_core.plugins.state import PluginState
from jiki_core.plugins.watching import GONE_AFTER_SECONDS

#: states that a listed plugin may be in without anything being wrong
_IN_ORDER = (PluginState.RUNNING, PluginState.PAUSED)


@click.command("why")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def why_command(name: str, as_json: bool) -> None:
    """Why NAME is in its state: the tree of what it requires and uses."""
    trouble = look_at_database()
    installed(name)
    reason = reason_tree(name, {one.name: one for one in the_host().statuses()})
    if as_json:
        click.echo(json.dumps(reason.as_json()))
        return
    for line in reason.lines():
        click.echo(line)
    if trouble:
        click.echo(trouble, err=True)


def check_installation(*, as_json: bool) -> None:
    """Fails when a listed plugin does not run, or meets one in a version that it is not made for."""
    trouble = look_at_database()
    host = the_host()
    faults = [str(mistake) for mistake in host.unknown]
    faults += [
        status.sentence() for status in host.statuses() if host.is_listed(status.name) and status.state not in _IN_ORDER
    ]
    statuses = {status.name: status for status in host.statuses()}
    for name in host.loaded:
        misfits = [use_misfit(text, statuses) for text in statuses[name].uses if host.is_listed(Requirement(text).name)]
        faults += [f"{name} {statuses[name].version}: {misfit}" for misfit in misfits if misfit]
    if as_json:
        click.echo(json.dumps({"faults": faults, "unknown_state": trouble}))
    else:
        for fault in faults:
            click.echo(fault, err=True)
        if trouble:
            click.echo(trouble, err=True)
    if faults:
        raise SystemExit(1)
    if not as_json:
        count = len(host.loaded)
        click.echo(f"{'the listed plugin is' if count == 1 else f'all {count} listed plugins are'} in order")


@click.command("status")
@click.option(
    "--strict", is_flag=True, help="Fail when processes differ, none runs, or a critical health check finds trouble."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def status_command(strict: bool, as_json: bool) -> None:
    """Every serving process that lives, with the fingerprint of its plugin set, where they differ, and health checks."""
    need_database()
    alive = reading().scalars(
        select(ProcessRecord)
        .where(ProcessRecord.seen_at > func.now() - func.make_interval(0, 0, 0, 0, 0, 0, GONE_AFTER_SECONDS))
        .order_by(ProcessRecord.role, ProcessRecord.host, ProcessRecord.pid)
    )
    processes = [Process(f"{one.role}@{one.host}:{one.pid}", one.fingerprint, one.plugins) for one in alive]
    suspended = [row._tuple() for row in reading().execute(select(PluginSuspension.name, PluginSuspension.reason))]
    faults = disagreements(processes)
    board: HealthBoard = current_app.extensions["jiki.health"]
    health = board.look()
    if as_json:
        rows = [{"process": one.name, "fingerprint": one.fingerprint, "plugins": one.plugins} for one in processes]
        told = [{"name": name, "reason": reason} for name, reason in suspended]
        checks = [one.as_json() for one in health]
        click.echo(json.dumps({"processes": rows, "disagreements": faults, "suspended": told, "health": checks}))
    else:
        for one in processes:
            states = ", ".join(f"{name} {told['version']} {told['state']}" for name, told in one.plugins.items())
            click.echo(f"{one.name:<32} {one.fingerprint}  {states}")
        for name, reason in suspended:
            click.echo(f"suspended: {name}: {reason}")
        for one_health in health:
            click.echo(f"health: {one_health.sentence()}")
        for fault in faults:
            click.echo(fault, err=True)
        if not processes:
            click.echo("no serving process runs", err=True)
    is_ailing = any(one.is_critical and not one.is_well for one in health)
    if strict and (faults or not processes or is_ailing):
        raise SystemExit(1)
