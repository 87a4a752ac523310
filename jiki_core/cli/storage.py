"""`flask storage`: what is kept where, whether it is really there, and the sweep by hand."""

from __future__ import annotations

import contextlib
import hashlib
import json
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy import func, select

from jiki_core.db import reading, release_connection, unit_of_work, uuid7
from jiki_core.errors import DomainError
from jiki_core.storage.attachments import every_blob
from jiki_core.storage.errors import FileMissing, StorageUnavailable
from jiki_core.storage.models import Blob, UploadTicket
from jiki_core.storage.service import StorageService
from jiki_core.storage.storage import storage
from jiki_core.storage.sweeps import sweep_files

_PROBE = b"jiki"


@click.group("storage")
def cli() -> None:
    """Look after files."""


@cli.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def status_command(as_json: bool) -> None:
    """Files and bytes by service and kind, and open tickets. Reads the database only."""
    counted = (
        select(Blob.service, Blob.kind, func.count().label("files"), func.sum(Blob.byte_size).label("bytes"))
        .group_by(Blob.service, Blob.kind)
        .order_by(Blob.service, Blob.kind)
    )
    rows = [
        {"service": row.service, "kind": row.kind, "files": row.files, "bytes": int(row.bytes)}
        for row in reading().execute(counted)
    ]
    tickets = reading().execute(
        select(func.count()).select_from(UploadTicket).where(UploadTicket.expires_at > func.now())
    )
    told: dict[str, Any] = {"current": storage().current.name, "kinds": rows, "open_tickets": tickets.scalar_one()}
    if as_json:
        click.echo(json.dumps(told))
        return
    click.echo(f"new files go to {told['current']}; {told['open_tickets']} uploads may still arrive")
    for row in rows:
        click.echo(f"{row['service']:<6} {row['kind']:<32} {row['files']:>10} files {row['bytes']:>15} bytes")


@cli.command("check")
@with_appcontext
def check_command() -> None:
    """Write, read, list and delete a small object in every service that is configured."""
    faults = [f"{place.name}: {fault}" for place in storage().all() if (fault := _try(place))]
    for fault in faults:
        click.echo(fault, err=True)
    if faults:
        raise click.ClickException("see storage_refused in the log for what the service said; docs/storage.md")


@cli.command("verify")
@click.option("--checksums", is_flag=True, help="Read every file and compare its SHA-256, not only its size.")
@with_appcontext
def verify_command(checksums: bool) -> None:
    """Compare every row with its object; exit 1 when one is missing or differs. Changes nothing."""
    looked, wrong = 0, 0
    for blob in every_blob():
        release_connection()
        looked += 1
        fault = _fault_of(blob, checksums=checksums)
        if fault:
            wrong += 1
            click.echo(f"{blob.service}:{blob.key}  {blob.kind}  {fault}")
    click.echo(f"{looked} files, {wrong} wrong")
    if wrong:
        raise click.exceptions.Exit(1)


@cli.command("sweep")
@with_appcontext
def sweep_command() -> None:
    """Ask for the sweep now; a worker does it. Young orphans stay (`storage_orphan_hours`)."""
    with unit_of_work() as uow:
        asked = uow.enqueue(sweep_files)
    click.echo(f"asked for core.sweep_files ({asked})")


def _try(place: StorageService) -> str | None:
    key = f"folders/core/probe-{uuid7()}"
    try:
        place.put(key, _PROBE)
        with contextlib.closing(place.open(key)) as file:
            read = file.read()
        listed = [one.key for one in place.list(key)]
        place.delete(key)
    except DomainError as error:
        return f"{error.symbol}: {error.__cause__ or error}"
    if read != _PROBE or listed != [key]:
        return "what was written was not what was read"
    click.echo(f"{place.name}: works")
    return None


def _fault_of(blob: Blob, *, checksums: bool) -> str | None:
    try:
        place = storage().named(blob.service)
        found = place.stat(blob.key)
        if found is None:
            return "missing"
        if found.byte_size != blob.byte_size:
            return f"has {found.byte_size} bytes instead of {blob.byte_size}"
        if checksums:
            with contextlib.closing(place.open(blob.key)) as file:
                digest = hashlib.sha256()
                while chunk := file.read(1 << 20):
                    digest.update(chunk)
            if digest.digest() != blob.sha256:
                return "has another content"
    except FileMissing:
        return "missing"
    except StorageUnavailable as error:
        return f"cannot be looked at: {error.__cause__ or error}"
    return None
