"""`flask config`: the effective settings with their origin; secrets are never shown."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext

from jiki_core.configuration import Configuration
from jiki_core.plugins.host import PluginHost


@click.group("config")
def cli() -> None:
    """Look at the configuration."""


@cli.command("show")
@click.option("--verbose", is_flag=True, help="Say what each setting is for.")
@with_appcontext
def show_command(verbose: bool) -> None:
    """Every setting with its value and where it comes from. Works with PostgreSQL and Valkey down."""
    configuration: Configuration = current_app.extensions["jiki.configuration"]
    host: PluginHost = current_app.extensions["jiki.host"]
    section = ""
    for loaded in (*configuration.loaded, *host.sections):
        for one in loaded.effective:
            if one.section != section:
                section = one.section
                click.echo(f"[{section}]")
            click.echo(f"  {one.name} = {one.value}    ({one.origin})")
            if verbose:
                click.echo(f"      {one.help}")
        for mistake in loaded.mistakes:
            click.echo(f"  mistake: {mistake}")
