"""`flask i18n namespace`."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from jiki_core.db import unit_of_work
from jiki_i18n.catalogues import Layout
from jiki_i18n.cli.refusals import told_at_the_terminal
from jiki_i18n.commands.namespaces import change_namespace, ensure_namespace


@click.command("namespace")
@click.argument("name")
@click.option("--layout", type=click.Choice([one.value for one in Layout]), help="How its catalogues are written.")
@click.option("--description", help="For translators.")
@with_appcontext
def namespace_command(name: str, layout: str | None, description: str | None) -> None:
    """Make the namespace NAME, or change what is given of it."""
    changes = {key: value for key, value in (("layout", layout), ("description", description)) if value is not None}
    with told_at_the_terminal(), unit_of_work() as uow:
        ensure_namespace(uow, name)
        change_namespace(uow, name, changes)
    click.echo(f"namespace {name}" + "".join(f", {key} {value}" for key, value in changes.items()))
