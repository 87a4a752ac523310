"""`flask payments report`: how premium is doing, from our own books."""

from __future__ import annotations

import json
from typing import Any

import click
from flask.cli import with_appcontext

from jiki_payments.queries.report import premium_report


@click.command("report")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def report_command(as_json: bool) -> None:
    """Premium members by source, subscriptions by status, money of the last 30 days, and what waits for somebody."""
    report = premium_report()
    if as_json:
        click.echo(json.dumps(report))
        return
    for section, rows in report.items():
        click.echo(f"{section.replace('_', ' ')}:")
        for name, value in rows.items():
            click.echo(f"  {name:<28} {_text(value)}")
        if not rows:
            click.echo("  none")


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    return str(value)
