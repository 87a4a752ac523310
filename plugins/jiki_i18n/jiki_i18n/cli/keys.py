"""`flask i18n sync` and `extract`: keys from plugins and from front-ends."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from jiki_core.contracts import TranslatableTexts, ask_all
from jiki_core.db import reading, unit_of_work
from jiki_core.runtime import runtime
from jiki_i18n.cli.refusals import told_at_the_terminal
from jiki_i18n.commands.namespaces import ensure_namespace
from jiki_i18n.commands.sync_keys import SyncedPackage, sync_keys, sync_package
from jiki_i18n.exchange import Entry, ExchangeError
from jiki_i18n.exchange.entries import entries_from_texts
from jiki_i18n.extraction import extract_keys
from jiki_i18n.locales import SOURCE_LOCALE
from jiki_i18n.message_files import PackageMessages, package_messages
from jiki_i18n.models import Namespace, SourceMessage


@click.command("sync")
@click.option("--plugin", "only", help="This plugin's messages only.")
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Say what would change, change nothing.")
@with_appcontext
def sync_command(only: str | None, is_dry_run: bool) -> None:
    """Bring the keys and shipped translations of every running plugin (data/messages of its package)."""
    found = [one for one in _running_packages() if only is None or one[0] == only]
    if only is not None and not found:
        raise click.ClickException(f"no plugin {only} is running")
    brought = [(plugin, files) for plugin, package in found for files in _read(plugin, package)]
    if only is None:
        brought += [("", files) for files in _kept_by_plugins()]
        _refuse_repeats([files.namespace for _, files in brought])
    invalid_count = 0
    for plugin, files in brought:
        done = _sync(plugin, files, is_dry_run)
        counts = done.sources.counts()
        invalid_count += counts["invalid"]
        lines = [*done.sources.diff_lines(), *(line for plan in done.translations for line in plan.diff_lines())]
        for line in lines:
            click.echo(f"{files.namespace}: {line}")
        told = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "no keys"
        click.echo(f"{plugin} {files.namespace}: {told}".lstrip())
    if invalid_count:
        raise SystemExit(1)


@click.command("extract")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--namespace", "default_namespace", default="translation", help="Of keys that name none.")
@click.option("--add", "is_adding", is_flag=True, help="Add the missing keys, with the texts their calls give.")
@with_appcontext
def extract_command(path: Path, default_namespace: str, is_adding: bool) -> None:
    """Compare the keys a front-end's sources use with those that are stored; exits with 1 when some are missing."""
    found = extract_keys(path, default_namespace=default_namespace)
    known = _known_keys()
    missing = found.missing(known)
    for use in missing:
        click.echo(f"missing {use.namespace}:{use.key} ({use.file}:{use.line})")
    for namespace, key in found.unused(
        {name: keys for name, keys in known.items() if name in {use.namespace for use in found.uses}}
    ):
        click.echo(f"unused {namespace}:{key}")
    for computed in found.computed:
        click.echo(f"computed {computed.file}:{computed.line}: {computed.expression}")
    for name, why in found.skipped:
        click.echo(f"skipped {name}: {why}", err=True)
    if not is_adding:
        if missing:
            raise SystemExit(1)
        return
    by_namespace: dict[str, dict[str, str]] = {}
    for use in missing:
        texts = by_namespace.setdefault(use.namespace, {})
        texts[use.key] = texts.get(use.key) or use.default
    with told_at_the_terminal(), unit_of_work() as uow:
        for namespace, texts in sorted(by_namespace.items()):
            entries = [Entry(key, text) for key, text in sorted(texts.items())]
            plan = sync_keys(uow, ensure_namespace(uow, namespace), entries, retires_missing=False)
            click.echo(f"{namespace}: {plan.counts()['added']} added")


def _running_packages() -> list[tuple[str, str]]:
    """(plugin, package) of the plugins that run, by name."""
    plugins = runtime().plugins
    found = {one.name: one.module.partition(".")[0] for one in entry_points(group="jiki.plugins")}
    return sorted((name, package) for name, package in found.items() if plugins.is_running(name))


def _read(plugin: str, package: str) -> list[PackageMessages]:
    try:
        return package_messages(package)
    except ExchangeError as error:
        raise click.ClickException(f"{plugin}: {error}") from error


def _kept_by_plugins() -> list[PackageMessages]:
    """Namespaces whose texts plugins keep in their own tables. One whose provider fails is left as it is."""
    answers = ask_all(TranslatableTexts, lambda one: one.texts())
    found = []
    for namespace, texts in (pair for answer in answers for pair in answer.items()):
        try:
            found.append(
                PackageMessages(namespace, entries_from_texts(texts, locale=SOURCE_LOCALE, namespace=namespace))
            )
        except ExchangeError as error:
            raise click.ClickException(f"{namespace}: {error}") from error
    return found


def _refuse_repeats(namespaces: Sequence[str]) -> None:
    """Two sources of one namespace would retire each other's keys."""
    for namespace in namespaces:
        if namespaces.count(namespace) > 1:
            raise click.ClickException(
                f"{namespace} comes from two places, which would retire each other's keys: rename one"
            )


def _sync(plugin: str, files: PackageMessages, is_dry_run: bool) -> SyncedPackage:
    with told_at_the_terminal(), unit_of_work() as uow:
        return sync_package(uow, plugin, files, is_dry_run=is_dry_run)


def _known_keys() -> dict[str, set[str]]:
    known: dict[str, set[str]] = {}
    rows = reading().execute(
        select(Namespace.name, SourceMessage.key)
        .join(SourceMessage, SourceMessage.namespace_id == Namespace.id)
        .where(SourceMessage.retired_at.is_(None))
    )
    for namespace, key in rows:
        known.setdefault(namespace, set()).add(key)
    return known
