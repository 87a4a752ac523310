"""Commands that need PostgreSQL or Valkey say which of them is away, and what to do, instead of showing a traceback."""

from __future__ import annotations

from typing import Any

import click
import redis
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from jiki_core.db.commits import is_connection_lost

#: SQLSTATE of a table or schema that is not there
_NO_TABLES = frozenset({"42P01", "3F000"})


class ServiceGroup(click.Group):
    """A group whose commands and groups end with one sentence when a service they need does not answer."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (DBAPIError, PoolTimeout) as error:
            if getattr(getattr(error, "orig", None), "sqlstate", None) in _NO_TABLES:
                raise click.ClickException("the tables are not there yet; make them with `flask db upgrade`") from error
            if not is_connection_lost(error):
                raise
            raise click.ClickException(
                f"PostgreSQL does not answer ({_first_line(error)}); start it, or set DATABASE_URL"
            ) from error
        except redis.RedisError as error:
            raise click.ClickException(
                f"Valkey does not answer ({_first_line(error)}); start it, or set REDIS_URL"
            ) from error


def _first_line(error: Exception) -> str:
    """The cause without SQLAlchemy's statement and links."""
    lines = str(getattr(error, "orig", None) or error).splitlines()
    return lines[0].strip() if lines else type(error).__name__
