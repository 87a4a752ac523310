"""`flask i18n publish`, `rollback`, `stats` and `promote`."""

from __future__ import annotations

import json
import time

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from jiki_core.db import reading, unit_of_work
from jiki_i18n.catalogues import CatalogueError
from jiki_i18n.cli.refusals import i18n_settings, told_at_the_terminal
from jiki_i18n.commands.promote_locale import promote_locale
from jiki_i18n.commands.publish import Requested, Scope, enqueue_tasks, request_publication, rollback
from jiki_i18n.commands.publish_here import publish_here
from jiki_i18n.locales import ALL_LOCALES, LocaleState
from jiki_i18n.models import CurrentPublication, Publication, PublicationState
from jiki_i18n.queries.locales import known_locale, served_locales
from jiki_i18n.queries.statistics import completeness
from jiki_i18n.settings import I18nSettings

_POLL_SECONDS = 0.3


@click.command("publish")
@click.option("--locale", "locales", multiple=True, help="These only; the served ones when left out.")
@click.option("--namespace", "namespaces", multiple=True, help="These only.")
@click.option("--unreviewed/--reviewed-only", "includes_unreviewed", default=None, help="Take drafts and stale texts.")
@click.option("--force", "is_forced", is_flag=True, help="Make everything anew.")
@click.option("--here", "is_here", is_flag=True, help="Make the files in this process; needs no worker.")
@click.option("--detach", is_flag=True, help="Do not wait for the workers.")
@click.option("--timeout", "timeout_seconds", default=3_600, show_default=True, help="Seconds to wait for them.")
@with_appcontext
def publish_command(
    locales: tuple[str, ...],
    namespaces: tuple[str, ...],
    includes_unreviewed: bool | None,
    is_forced: bool,
    is_here: bool,
    detach: bool,
    timeout_seconds: int,
) -> None:
    """Publish what has changed; the new files replace the current ones all at once."""
    settings = i18n_settings()
    with told_at_the_terminal():
        scope = Scope(
            tuple(known_locale(tag) for tag in locales) or served_locales(),
            namespaces,
            settings.publishes_unreviewed if includes_unreviewed is None else includes_unreviewed,
            is_forced,
        )
        if is_here:
            try:
                requested = _publish_here(scope, settings)
            except CatalogueError as error:
                raise click.ClickException(f"nothing was published: {error}") from error
        else:
            with unit_of_work() as uow:
                requested = request_publication(uow, scope, settings)
                enqueue_tasks(uow, requested)
    if requested.id is None:
        click.echo(f"nothing has changed: {requested.unchanged_count} catalogues are current")
        return
    if detach:
        click.echo(f"publication {requested.id}: {len(requested.tasks)} catalogues are being made")
        return
    if not is_here:
        _follow(requested, timeout_seconds)
    click.echo(
        f"publication {requested.id}: {len(requested.tasks)} catalogues made, {requested.unchanged_count} unchanged"
    )


@click.command("rollback")
@click.argument("publication", type=int, required=False)
@with_appcontext
def rollback_command(publication: int | None) -> None:
    """Make PUBLICATION current again; without it, list those that can be."""
    if publication is None:
        current = reading().execute(select(CurrentPublication.publication_id)).scalar_one_or_none()
        rows = reading().scalars(
            select(Publication)
            .where(Publication.state == PublicationState.PUBLISHED.value, Publication.is_collected.is_(False))
            .order_by(Publication.id.desc())
        )
        for row in rows:
            mark = " (current)" if row.id == current else ""
            click.echo(f"{row.id}  {row.created_at:%Y-%m-%d %H:%M} UTC  {len(row.locales)} locales{mark}")
        return
    with told_at_the_terminal(), unit_of_work() as uow:
        rollback(uow, publication)
    click.echo(f"publication {publication} is current")


@click.command("stats")
@click.option("--locale", "locales", multiple=True, help="These only.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def stats_command(locales: tuple[str, ...], as_json: bool) -> None:
    """How complete each locale is, by namespace."""
    with told_at_the_terminal():
        found = completeness([known_locale(tag) for tag in locales] or ALL_LOCALES)
    if as_json:
        rows = [
            {
                "locale": one.locale,
                "namespace": one.namespace,
                "total": one.total_count,
                "missing": one.missing_count,
                "percent": one.percent,
                **{state.value: count for state, count in one.counts.items()},
            }
            for one in found
        ]
        click.echo(json.dumps({"completeness": rows}))
        return
    for one in found:
        states = ", ".join(f"{count} {state.value}" for state, count in one.counts.items() if count)
        told = ", ".join(filter(None, (states, f"{one.missing_count} missing" if one.missing_count else "")))
        click.echo(f"{one.locale:<7} {one.namespace:<24} {one.percent:>3} %  {told}")


@click.command("promote")
@click.argument("locale")
@click.argument("state", type=click.Choice([one.value for one in LocaleState]))
@click.option("--force", "is_forced", is_flag=True, help="Even if too little of it is reviewed.")
@with_appcontext
def promote_command(locale: str, state: str, is_forced: bool) -> None:
    """Make LOCALE known, draft or live. Going live needs enough reviewed messages."""
    with told_at_the_terminal(), unit_of_work() as uow:
        done = promote_locale(uow, locale, LocaleState(state), i18n_settings(), is_forced=is_forced)
    click.echo(f"{done.locale}: {done.before.value} -> {done.after.value}")


def _publish_here(scope: Scope, settings: I18nSettings) -> Requested:
    with click.progressbar(length=1, label="catalogues", show_pos=True) as bar:

        def show(made: int, total: int) -> None:
            bar.length = total
            bar.update(made - bar.pos)

        return publish_here(scope, settings, on_progress=show)


def _follow(requested: Requested, timeout_seconds: int) -> None:
    """A progress bar of what the workers have made."""
    deadline = time.monotonic() + timeout_seconds
    shown = 0
    query = select(Publication.state, Publication.done_count, Publication.reason).where(Publication.id == requested.id)
    with click.progressbar(length=len(requested.tasks), label="catalogues", show_pos=True) as bar:
        while True:
            row = reading().execute(query).one()
            bar.update(row.done_count - shown)
            shown = row.done_count
            if row.state != PublicationState.BUILDING:
                break
            if time.monotonic() > deadline:
                raise click.ClickException(
                    f"publication {requested.id} has {shown} of {len(requested.tasks)} catalogues after "
                    f"{timeout_seconds} s: is a worker running on the queue heavy? It goes on without this command"
                )
            time.sleep(_POLL_SECONDS)  # between two looks at the publication
    if row.state != PublicationState.PUBLISHED:
        raise click.ClickException(f"publication {requested.id} is {row.state}: {row.reason}")
