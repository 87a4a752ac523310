"""`flask seed`: what plugins put into a fresh database, each once."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.dialects.postgresql import insert

from jiki_core.assembly import Assembly
from jiki_core.db import unit_of_work
from jiki_core.db.records import SeedRecord
from jiki_core.runtime import runtime


@click.command("seed")
@with_appcontext
def cli() -> None:
    """Run every seed of this environment that has not run yet."""
    assembly: Assembly = current_app.extensions["jiki.assembly"]
    environment = runtime().settings.env
    for plugin, seed in assembly.seeds:
        if seed.env not in ("all", environment):
            continue
        with unit_of_work() as uow:
            is_first = uow.session.execute(
                insert(SeedRecord)
                .values(key=f"{plugin}.{seed.key}", ran_at=uow.now)
                .on_conflict_do_nothing()
                .returning(SeedRecord.key)
            ).scalar_one_or_none()
            if is_first is not None:
                seed.func(uow)
                click.echo(f"seeded {plugin}.{seed.key}")
