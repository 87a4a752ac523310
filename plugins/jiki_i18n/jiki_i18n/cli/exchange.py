"""`flask i18n import` and `export`."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext

from jiki_core.db import unit_of_work
from jiki_i18n.cli.refusals import told_at_the_terminal
from jiki_i18n.commands.import_document import Document, import_document
from jiki_i18n.exchange import FORMATS, ConflictPolicy
from jiki_i18n.queries.exchange import export
from jiki_i18n.queries.locales import known_locale

_FORMAT = click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), help="Told by the file's ending when left out."
)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_FORMAT
@click.option("--locale", help="Where the file does not say it; en brings keys.")
@click.option("--namespace", help="Where the file does not say it.")
@click.option("--policy", type=click.Choice([one.value for one in ConflictPolicy]), default="refuse", show_default=True)
@click.option("--base", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The file as exported.")
@click.option("--reviewed", "may_review", is_flag=True, help="What the file calls reviewed counts as reviewed.")
@click.option("--retire-missing", "retires_missing", is_flag=True, help="English: keys not in the file are retired.")
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Say what would change, change nothing.")
@with_appcontext
def import_command(
    file: Path,
    form: str | None,
    locale: str | None,
    namespace: str | None,
    policy: str,
    base: Path | None,
    may_review: bool,
    retires_missing: bool,
    is_dry_run: bool,
) -> None:
    """Import FILE. Exits with 1 when it is refused or a message of it is invalid."""
    document = Document(
        file.read_bytes(), form or _format_of(file), locale, namespace, base.read_bytes() if base else None
    )
    with told_at_the_terminal(), unit_of_work() as uow:
        done = import_document(
            uow,
            document,
            ConflictPolicy(policy),
            may_review=may_review,
            retires_missing=retires_missing,
            is_dry_run=is_dry_run,
        )
    for line in done.lines:
        click.echo(line)
    told = ", ".join(f"{count} {name}" for name, count in done.counts.items() if count) or "no messages"
    click.echo(f"{done.namespace} {done.locale}: {told}")
    if done.is_refused:
        raise click.ClickException("nothing was imported: choose --policy, or give --base")
    if done.counts.get("invalid"):
        raise SystemExit(1)


@click.command("export")
@_FORMAT
@click.option("--locale", required=True)
@click.option("--namespace", required=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Standard output when left out.")
@with_appcontext
def export_command(form: str | None, locale: str, namespace: str, output: Path | None) -> None:
    """Export one namespace in one locale."""
    with told_at_the_terminal():
        body = export(namespace, known_locale(locale), form or (_format_of(output) if output else "json"))
    if output is None:
        click.echo(body, nl=False)
    else:
        output.write_bytes(body)


def _format_of(file: Path) -> str:
    for each in FORMATS.values():
        if file.name.endswith(each.suffix):
            return each.name
    raise click.UsageError(f"{file.name}: name the format with --format")
