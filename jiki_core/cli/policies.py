"""`flask policies`: who may call what, as the guard applies it."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext

from jiki_core.runtime import runtime


@click.command("policies")
@with_appcontext
def cli() -> None:
    """Print every route with its owner and policy; one that has a reason for it says so."""
    mounted = runtime().mounted
    rows = []
    for rule in current_app.url_map.iter_rules():
        known = mounted.get(rule.endpoint)
        if known is None:
            continue
        methods = "/".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        reason = f"  # {known.policy.reason}" if known.policy.reason else ""
        rows.append(f"{methods:<14} {rule.rule:<66} {known.plugin:<10} {known.policy.describe()}{reason}")
    for row in sorted(rows, key=lambda row: row[15:]):
        click.echo(row)
