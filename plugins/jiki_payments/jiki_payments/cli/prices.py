"""`flask payments prices …`: the price table."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from jiki_payments.queries.prices import current_table


@click.group("prices")
def prices_group() -> None:
    """The price table: who pays what."""


@prices_group.command("show")
@with_appcontext
def show_command() -> None:
    """Print the table in force: currency, monthly, annual (in minor units), countries."""
    table = current_table()
    click.echo(f"version {table.version}, standard currency {table.default_currency}")
    for currency, amounts in sorted(table.amounts_by_currency.items()):
        countries = sorted(code for code, own in table.currency_by_country.items() if own == currency)
        click.echo(f"{currency}  {amounts.monthly:>10}  {amounts.annual:>11}  {' '.join(countries)}")


@prices_group.command("check")
@with_appcontext
def check_command() -> None:
    """Name every mistake in the table in force; exits with 1 when there is one."""
    mistakes = current_table().check()
    for mistake in mistakes:
        click.echo(mistake, err=True)
    if mistakes:
        raise SystemExit(1)
    click.echo("the price table is complete")
