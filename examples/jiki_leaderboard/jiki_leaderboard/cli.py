"""`flask leaderboard …`."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from flask.cli import with_appcontext

from jiki_leaderboard.queries.standings import standings
from jiki_leaderboard.weeks import week_of


@click.command("show")
@click.option("--places", default=10, show_default=True)
@with_appcontext
def show_command(places: int) -> None:
    """This week's standings."""
    for one in standings(week_of(datetime.now(UTC)), places):
        click.echo(f"{one.place:>3}  {one.points:>6}  {one.handle}")
