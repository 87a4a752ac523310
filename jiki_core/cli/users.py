"""`flask users export|erase`: one person's data over the core and all plugins, disabled and uninstalled ones included."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

import click
from flask.cli import with_appcontext

from jiki_core.cli.plugin_host import need_database, the_host
from jiki_core.contracts import Accounts, ask
from jiki_core.db import unit_of_work
from jiki_core.plugins.erasing import ErasureRefused, erase_person, export_person, prepare_erasure, retained
from jiki_core.storage.attachments import every_blob
from jiki_core.storage.errors import FileMissing, StorageUnavailable
from jiki_core.storage.storage import storage


@click.group("users")
def cli() -> None:
    """What the law lets people ask for."""


@cli.command("export")
@click.argument("user")
@click.option(
    "--to", "target", type=click.Path(path_type=Path, dir_okay=False), help="A file; standard output otherwise."
)
@click.option(
    "--files", "folder", type=click.Path(path_type=Path, file_okay=False), help="A folder for the person's files."
)
@with_appcontext
def export_command(user: str, target: Path | None, folder: Path | None) -> None:
    """Everything kept about USER (an id, address or handle), as JSON."""
    need_database()
    user_id, addresses = _person(user)
    told = json.dumps(export_person(the_host(), user_id, addresses), indent=2, ensure_ascii=False)
    if target is None:
        click.echo(told)
    else:
        target.write_text(told + "\n", encoding="utf-8")
        click.echo(f"written to {target}")
    if folder is not None:
        click.echo(f"{_export_files(user_id, folder)} files written to {folder}", err=target is None)


@cli.command("erase")
@click.argument("user")
@click.option("--reason", required=True, help="Who asked, for the audit trail.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def erase_command(user: str, reason: str, yes: bool) -> None:
    """Delete or anonymise everything kept about USER (an id, address or handle). Cannot be taken back."""
    need_database()
    user_id, addresses = _person(user)
    for table, why in retained(the_host()).items():
        click.echo(f"  kept: {table}: {why}")
    if not yes:
        click.confirm(f"Erase user {user_id} for good?", abort=True)
    try:
        prepare_erasure(user_id)
        with unit_of_work() as uow:
            changed = erase_person(uow, the_host(), user_id, addresses=addresses, reason=reason)
    except ErasureRefused as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"user {user_id} is erased; {changed} rows changed besides what went with the account")


def _export_files(user_id: int, folder: Path) -> int:
    """Writes each file as `<id>-<name>`, as the export lists them; returns how many."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for blob in every_blob(user_id=user_id):
        try:
            with (
                contextlib.closing(storage().named(blob.service).open(blob.key)) as source,
                (folder / f"{blob.id}-{blob.filename}").open("wb") as copy,
            ):
                shutil.copyfileobj(source, copy)
        except (FileMissing, StorageUnavailable) as error:
            raise click.ClickException(f"{blob.id} cannot be read now ({error.symbol}); run this again") from error
        count += 1
    return count


def _person(named: str) -> tuple[int, list[str]]:
    """(id, addresses). A number is an id, also of somebody who is gone."""
    if named.isdecimal():
        found = ask(Accounts).get_many([int(named)])
        return int(named), [one.email for one in found]
    account = ask(Accounts).find(named)
    if account is None:
        raise click.ClickException(f"nobody has the address or handle {named}; give the id instead")
    return account.id, [account.email]
