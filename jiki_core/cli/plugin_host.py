"""What the `flask plugins` commands share: the host, the gate, and names that must mean an installed plugin."""

from __future__ import annotations

from collections.abc import Iterable

import click
import psycopg
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from jiki_core.plugins.host import PluginHost
from jiki_core.plugins.state import PluginStatus
from jiki_core.runtime import runtime
from jiki_core.schema_gate import SchemaGate
from jiki_core.settings import nearest


def the_host() -> PluginHost:
    host: PluginHost = current_app.extensions["jiki.host"]
    return host


def the_gate() -> SchemaGate:
    gate: SchemaGate = current_app.extensions["jiki.gate"]
    return gate


def look_at_database() -> str | None:
    """Brings states up to what the database says; a sentence on why that was not possible, else None."""
    if not runtime().settings.database_url:
        return "DATABASE_URL is not set: pauses and tables are not known"
    try:
        the_gate().look()
    except (SQLAlchemyError, psycopg.Error) as error:
        return f"PostgreSQL does not answer ({type(error).__name__}): pauses and tables are not known"
    return None


def need_database() -> None:
    """For commands that cannot do without. Raises ClickException."""
    trouble = look_at_database()
    if trouble is not None:
        remedy = "start it, or correct DATABASE_URL" if runtime().settings.database_url else "set it"
        raise click.ClickException(f"{trouble}; {remedy}")


def installed(name: str) -> PluginStatus:
    """The status of an installed plugin. Raises ClickException with the nearest name."""
    try:
        return the_host().status(name)
    except KeyError:
        names = [one.name for one in the_host().statuses()]
        raise click.ClickException(unknown_name(name, names)) from None


def unknown_name(name: str, known: Iterable[str]) -> str:
    names = list(known)
    return f"there is no plugin {name}{nearest(name, names)}; installed: {', '.join(names) or 'none'}"


def explain(status: PluginStatus, indent: str = "  ") -> None:
    """Cause and remedy, when there is something to explain."""
    if status.cause:
        click.echo(f"{indent}cause:  {status.cause}")
        click.echo(f"{indent}remedy: {status.remedy}")
