"""What several commands take: a user, by id, address or handle, and a moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from jiki_core.contracts import Account, Accounts, ask


def find_user(text: str) -> Account:
    """The account that an operator means. Raises click.BadParameter for nobody."""
    found = next(iter(ask(Accounts).get_many([int(text)])), None) if text.isdecimal() else ask(Accounts).find(text)
    if found is None:
        raise click.BadParameter(f"there is no user {text}; give an id, an address or a handle", param_hint="USER")
    return found


class Moment(click.DateTime):
    """A day or a time in UTC."""

    name = "moment"

    def __init__(self) -> None:
        super().__init__(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        naive: datetime = super().convert(value, param, ctx)
        return naive.replace(tzinfo=UTC)


MOMENT = Moment()
