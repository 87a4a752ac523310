"""`flask plugins pause|resume`: close a plugin's doors in every process within a second, and open them again."""

from __future__ import annotations

import time

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import func, select

from jiki_core.assembly import Assembly
from jiki_core.cli.plugin_host import installed, need_database, the_host
from jiki_core.configuration import Configuration
from jiki_core.db import reading, unit_of_work
from jiki_core.plugins.pausing import dependents_of, pause_plugin, release_held, resume_plugin
from jiki_core.plugins.runtime_state import ProcessRecord, RuntimeState
from jiki_core.plugins.state import PluginState
from jiki_core.plugins.watching import GONE_AFTER_SECONDS
from jiki_core.runtime import runtime

#: how long the command waits for processes to say that they have seen the change
SEEN_WITHIN_SECONDS = 5.0


@click.command("pause")
@click.argument("name")
@click.option("--reason", required=True, help="Why, for whoever finds it paused; kept in the audit trail.")
@click.option("--force", is_flag=True, help="Also when the plugin, or one that needs it, is required.")
@with_appcontext
def pause_command(name: str, reason: str, force: bool) -> None:
    """Close the doors of NAME and of what needs it, in every process, without a restart.

    Routes answer 503, jobs and listeners are held, sockets stay and are silent, its answers to others count as failing.
    Its guards keep running. Nothing is lost: `flask plugins resume` lets the held work go on.
    """
    need_database()
    status = installed(name)
    if name not in the_host().loaded:
        raise click.ClickException(f"{status.sentence()}; only a plugin that runs can be paused")
    names = [name, *dependents_of(name, the_host().requirements())]
    for one in names:
        click.echo(_what_stops(one))
    configuration: Configuration = current_app.extensions["jiki.configuration"]
    required = [one for one in names if one in configuration.selection.required]
    if required and not force:
        raise click.ClickException(f"{', '.join(required)} is required; pause it all the same with --force")
    with unit_of_work() as uow:
        is_new = pause_plugin(uow, name, reason=reason)
    click.echo(f"paused: {', '.join(names)}" if is_new else f"{name} was paused already; the reason is replaced")
    _tell_who_has_seen_it()


@click.command("resume")
@click.argument("name")
@click.option("--reason", help="Why, for the audit trail.")
@with_appcontext
def resume_command(name: str, reason: str | None) -> None:
    """Open the doors of NAME again and let its held jobs and listeners go on; lifts suspensions of its parts too."""
    need_database()
    installed(name)
    with unit_of_work() as uow:
        was_paused = resume_plugin(uow, name, reason=reason)
    if not was_paused:
        status = installed(name)
        is_paused = status.state is PluginState.PAUSED
        click.echo(
            f"{name} was not paused by itself: {status.cause}; {status.remedy}"
            if is_paused
            else f"{name} was not paused"
        )
        return
    need_database()
    _tell_who_has_seen_it()
    names = [one for one in (name, *dependents_of(name, the_host().requirements())) if the_host().is_running(one)]
    with unit_of_work() as uow:
        count = release_held(uow, [job for job, bound in runtime().jobs.items() if bound.plugin in names])
    click.echo(f"resumed: {', '.join(names) or 'nothing yet'}; held jobs that go on: {count}")
    still = installed(name)
    if name not in names and still.cause:
        click.echo(f"{still.sentence()}")


def _what_stops(name: str) -> str:
    assembly: Assembly = current_app.extensions["jiki.assembly"]
    given = the_host().loaded[name].contributions
    parts = {
        "routes": sum(len(mount.blueprint.routes) for mount in given.blueprints),
        "jobs": len(given.jobs),
        "listeners": len(given.listeners),
        "channels": len(given.channels),
    }
    text = ", ".join(f"{count} {title if count > 1 else title[:-1]}" for title, count in parts.items() if count)
    failing = sorted(
        contract.__name__
        for contract, providers in assembly.providers.items()
        if any(one.plugin == name for one in providers)
    )
    return f"  {name}: {text or 'nothing that can stop'}" + (f"; failing: {', '.join(failing)}" if failing else "")


def _tell_who_has_seen_it() -> None:
    """Waits until every living process acts on the newest state, a few seconds at most, and tells how many do."""
    deadline = time.monotonic() + SEEN_WITHIN_SECONDS
    while True:
        version = reading().execute(select(RuntimeState.version)).scalar_one_or_none()
        alive = (
            reading()
            .scalars(
                select(ProcessRecord.state_version).where(
                    ProcessRecord.seen_at > func.now() - func.make_interval(0, 0, 0, 0, 0, 0, GONE_AFTER_SECONDS)
                )
            )
            .all()
        )
        seen = sum(one == version for one in alive)
        if seen == len(alive) or time.monotonic() > deadline:
            click.echo(f"{seen} of {len(alive)} running processes have seen it")
            return
        time.sleep(0.1)  # between two looks
