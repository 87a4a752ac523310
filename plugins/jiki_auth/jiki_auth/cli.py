"""`flask auth …`."""

from __future__ import annotations

from typing import cast

import click
from flask.cli import with_appcontext

from jiki_auth.commands.create_user import create_user
from jiki_auth.settings import AuthSettings
from jiki_core.db import unit_of_work
from jiki_core.errors import ValidationFailed
from jiki_core.runtime import runtime


@click.command("create-user")
@click.option("--email", required=True)
@click.option("--password", required=True, help="8 to 128 characters.")
@click.option("--confirmed", is_flag=True, help="The address counts as confirmed; no mail asks for it.")
@click.option("--admin", is_flag=True, help="Give the role admin.")
@click.option("--handle", help="3 to 30 of a-z 0-9 -; made from the address when left out.")
@with_appcontext
def create_user_command(email: str, password: str, confirmed: bool, admin: bool, handle: str | None) -> None:
    """Create an account and print its id."""
    settings = cast(AuthSettings, runtime().plugin_settings["auth"])
    try:
        with unit_of_work() as uow:
            user_id = create_user(
                uow, email, password, settings=settings, is_confirmed=confirmed, is_admin=admin, handle=handle
            )
    except ValidationFailed as error:
        faults = "; ".join(f"{name}: {', '.join(one.code for one in found)}" for name, found in error.errors.items())
        raise click.ClickException(faults) from error
    click.echo(str(user_id))
