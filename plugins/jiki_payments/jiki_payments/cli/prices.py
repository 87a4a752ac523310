"""`flask payments prices …`: the price table."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext

from jiki_core.db import unit_of_work
from jiki_core.errors import ValidationFailed
from jiki_payments.commands.edit_price_table import add_price_table, publish_price_table
from jiki_payments.commands.ensure_stripe_prices import ensure_stripe_prices
from jiki_payments.errors import PaymentProviderUnavailable, PriceTableNotFound
from jiki_payments.price_files import UnreadablePriceFile, read_price_file, write_price_file
from jiki_payments.pricing import PriceTable
from jiki_payments.queries.prices import current_table
from jiki_payments.stripe_gateway import StripeRefused, stripe_gateway

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


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
@click.argument("file", type=_FILE, required=False)
@with_appcontext
def check_command(file: Path | None) -> None:
    """Name every mistake in FILE, or in the table in force; exits with 1 when there is one."""
    mistakes = (_read(file) if file else current_table()).check()
    for mistake in mistakes:
        click.echo(mistake, err=True)
    if mistakes:
        raise SystemExit(1)
    click.echo("the price table is complete")


@prices_group.command("export")
@with_appcontext
def export_command() -> None:
    """Print the table in force as a file to edit and import."""
    click.echo(write_price_file(current_table()), nl=False)


@prices_group.command("import")
@click.argument("file", type=_FILE)
@click.option("--note", help="What changes, and why.")
@click.option("--publish", is_flag=True, help="Put it in force at once.")
@with_appcontext
def import_command(file: Path, note: str | None, publish: bool) -> None:
    """Add FILE as a new version. It must be complete, and its version must be new."""
    table = _read(file)
    try:
        with unit_of_work() as uow:
            add_price_table(uow, table, note=note)
            if publish:
                publish_price_table(uow, table.version)
    except ValidationFailed as error:
        found = [f"{name}: {one.value or one.code}" for name, all_of in error.errors.items() for one in all_of]
        raise click.ClickException("nothing was imported:\n  " + "\n  ".join(found)) from error
    click.echo(f"version {table.version} is {'in force' if publish else 'a draft; publish it to put it in force'}")


@prices_group.command("publish")
@click.argument("version")
@with_appcontext
def publish_command(version: str) -> None:
    """Put VERSION in force, for new checkouts; who has a subscription keeps its price."""
    try:
        with unit_of_work() as uow:
            publish_price_table(uow, version)
    except PriceTableNotFound:
        raise click.ClickException(f"there is no version {version}; import it first") from None
    click.echo(f"version {version} is in force")


@prices_group.command("push")
@with_appcontext
def push_command() -> None:
    """See that Stripe has the prices of the table in force; makes what is missing, changes nothing else."""
    try:
        made = ensure_stripe_prices(stripe_gateway(), current_table())
    except StripeRefused as error:
        raise click.ClickException(f"Stripe refused: {error}") from error
    except PaymentProviderUnavailable:
        raise click.ClickException("Stripe does not answer; see STRIPE_SECRET_KEY and the log") from None
    for interval, price_id in sorted(made.items()):
        click.echo(f"{interval}  {price_id}")


def _read(file: Path) -> PriceTable:
    try:
        return read_price_file(file.read_text(encoding="utf-8"))
    except (UnreadablePriceFile, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file}: {error}") from error
