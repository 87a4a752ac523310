"""`flask auth …`: accounts, roles, sessions and keys from the command line."""

from __future__ import annotations

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from jiki_auth.addresses import normalise_email
from jiki_auth.commands.api_keys import create_api_key, delete_api_key
from jiki_auth.commands.create_user import create_user
from jiki_auth.commands.end_sessions import end_sessions_of
from jiki_auth.commands.manage_roles import grant_role, revoke_role
from jiki_auth.commands.rotate_signing_key import rotate_signing_key
from jiki_auth.models import SigningKey
from jiki_auth.permissions import LEARNER
from jiki_auth.queries.sessions import sessions_of
from jiki_auth.queries.users import all_api_keys, roles_given, user_id_of
from jiki_auth.settings import auth_settings
from jiki_auth.throttles import unlock
from jiki_core.db import reading, unit_of_work
from jiki_core.errors import NotFound, ValidationFailed
from jiki_core.runtime import runtime
from jiki_core.security.permissions import permissions_of


@click.command("create-user")
@click.option("--email", required=True)
@click.option("--password", required=True, help="8 to 128 characters.")
@click.option("--confirmed", is_flag=True, help="The address counts as confirmed; no mail asks for it.")
@click.option("--admin", is_flag=True, help="Give the role admin.")
@click.option("--handle", help="3 to 30 of a-z 0-9 -; made from the address when left out.")
@with_appcontext
def create_user_command(email: str, password: str, confirmed: bool, admin: bool, handle: str | None) -> None:
    """Create an account and print its id."""
    try:
        with unit_of_work() as uow:
            user_id = create_user(
                uow,
                email,
                password,
                settings=auth_settings(),
                is_confirmed=confirmed,
                is_admin=admin,
                handle=handle,
            )
    except ValidationFailed as error:
        raise _readable(error) from error
    click.echo(str(user_id))


@click.command("grant")
@click.argument("email")
@click.argument("role")
@with_appcontext
def grant_command(email: str, role: str) -> None:
    """Give somebody a role; they sign in again."""
    user_id = _user(email)
    try:
        with unit_of_work() as uow:
            grant_role(uow, user_id, role)
    except ValidationFailed as error:
        raise click.ClickException(f"no role {role!r} that can be given; see: flask policies") from error
    click.echo(", ".join(roles_given(user_id)))


@click.command("revoke")
@click.argument("email")
@click.argument("role")
@with_appcontext
def revoke_command(email: str, role: str) -> None:
    """Take a role away."""
    user_id = _user(email)
    with unit_of_work() as uow:
        revoke_role(uow, user_id, role)
    click.echo(", ".join(roles_given(user_id)) or "no roles")


@click.command("sessions")
@click.argument("email")
@click.option("--end", is_flag=True, help="End them all.")
@with_appcontext
def sessions_command(email: str, end: bool) -> None:
    """List where somebody is signed in, or sign them out everywhere."""
    user_id = _user(email)
    if end:
        with unit_of_work() as uow:
            count = end_sessions_of(uow, user_id, reason="ended by an operator")
        click.echo(f"ended {count}")
        return
    for one in sessions_of(user_id):
        click.echo(f"{one.id}  {one.kind:6}  {one.last_used_at:%Y-%m-%d %H:%M}  {one.network:20}  {one.user_agent}")


@click.command("unlock")
@click.argument("email")
@with_appcontext
def unlock_command(email: str) -> None:
    """Forget somebody's failed sign-ins and codes, so that they may try again at once."""
    unlock(normalise_email(email), _user(email))
    click.echo("unlocked")


@click.group("keys")
def keys_commands() -> None:
    """Keys that sign access tokens."""


@keys_commands.command("list")
@with_appcontext
def list_keys() -> None:
    """The keys made by rotation, oldest first; before the first one a derived key signs."""
    rows = reading().execute(select(SigningKey).order_by(SigningKey.created_at)).scalars().all()
    for row in rows:
        click.echo(f"{row.id}  {row.algorithm}  {row.created_at:%Y-%m-%d %H:%M}")
    if not rows:
        click.echo("none yet: the derived key signs")


@keys_commands.command("rotate")
@with_appcontext
def rotate_keys() -> None:
    """Make a new key; it signs in a minute, and older tokens stay good until they end."""
    with unit_of_work() as uow:
        key_id = rotate_signing_key(uow, auth_settings())
    click.echo(key_id)


@click.group("api-keys")
def api_keys_commands() -> None:
    """Keys of programs."""


@api_keys_commands.command("list")
@click.argument("email", required=False)
@with_appcontext
def list_api_keys(email: str | None) -> None:
    """All keys, or those of one owner, without their secrets."""
    for key_id, owner, name, scopes in all_api_keys(normalise_email(email) if email else None):
        click.echo(f"{key_id}  {owner}  {name}  {','.join(scopes)}")


@api_keys_commands.command("create")
@click.argument("email")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help="A permission; repeat for more.")
@with_appcontext
def create_key(email: str, name: str, scopes: tuple[str, ...]) -> None:
    """Make a key for somebody and print it, once."""
    user_id = _user(email)
    roles = frozenset({*roles_given(user_id), LEARNER})
    allowed = permissions_of(roles, dict(runtime().permissions))
    try:
        with unit_of_work() as uow:
            issued = create_api_key(uow, user_id, name, scopes, expires_at=None, allowed=allowed)
    except ValidationFailed as error:
        raise _readable(error) from error
    click.echo(issued.text)


@api_keys_commands.command("delete")
@click.argument("key_id")
@with_appcontext
def delete_key(key_id: str) -> None:
    """Make a key useless at once."""
    try:
        with unit_of_work() as uow:
            delete_api_key(uow, key_id)
    except NotFound as error:
        raise click.ClickException(f"no API key {key_id}; see: flask auth api-keys list") from error
    click.echo("deleted")


def _user(email: str) -> int:
    user_id = user_id_of(normalise_email(email))
    if user_id is None:
        raise click.ClickException(f"nobody has the address {email}")
    return user_id


def _readable(error: ValidationFailed) -> click.ClickException:
    return click.ClickException(
        "; ".join(f"{name}: {', '.join(one.code for one in found)}" for name, found in error.errors.items())
    )
