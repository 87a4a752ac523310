"""`flask mail`: the declared mails, how they look, and the addresses that get none."""

from __future__ import annotations

import json
from typing import Any

import click
from flask.cli import with_appcontext
from jinja2 import TemplateError
from sqlalchemy import select

from jiki_core.cli.outages import ServiceGroup
from jiki_core.db import reading, unit_of_work
from jiki_core.mail.sending import render, send_mail
from jiki_core.mail.suppression import MailSuppression, lift
from jiki_core.mail.templates import TemplateBroken
from jiki_core.runtime import runtime
from jiki_core.settings import nearest


@click.group("mail", cls=ServiceGroup)
def cli() -> None:
    """Look at mails and at the addresses that get none."""


@cli.command("list")
@with_appcontext
def list_command() -> None:
    """Every declared mail with its category and what its context must hold."""
    for key, bound in sorted(runtime().emails.items()):
        click.echo(f"{bound.template.category:<14} {key}  {', '.join(bound.template.context)}")


@cli.command("preview")
@click.argument("key")
@click.option("--locale", default="en", show_default=True)
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help="A value of the context; a sample otherwise.")
@click.option("--html", "as_html", is_flag=True, help="Print the markup instead of the text.")
@click.option("--to", help="Send it to this address instead of printing it.")
@with_appcontext
def preview_command(key: str, locale: str, given: tuple[str, ...], as_html: bool, to: str | None) -> None:
    """Render the mail KEY with sample values."""
    bound = runtime().emails.get(key)
    if bound is None:
        raise click.ClickException(f"there is no mail {key}{nearest(key, runtime().emails)}")
    context = bound.template.sample_context()
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.BadParameter(f"{pair!r} is not NAME=VALUE", param_hint="--set")
        if name not in context:
            raise click.BadParameter(f"{key} has no value {name}{nearest(name, context)}", param_hint="--set")
        context[name] = _value(name, value, context[name])
    try:
        rendered = render(bound, locale, context, runtime().settings)
    except (TemplateError, TemplateBroken) as error:
        raise click.ClickException(f"{key} cannot be rendered: {error}") from error
    if to is not None:
        with unit_of_work() as uow:
            send_mail(uow, key, to=to, context=context, locale=locale)
        click.echo(f"asked for {key} to {to}")
    elif as_html:
        click.echo(rendered.html or "")
    else:
        click.echo(f"Subject: {rendered.subject}\nContent-Language: {rendered.locale}\n\n{rendered.text}")


def _value(name: str, given: str, sample: Any) -> Any:
    """What was given, in the shape of the sample: text as it is, anything else as JSON."""
    if isinstance(sample, str):
        return given
    try:
        return json.loads(given)
    except ValueError:
        raise click.BadParameter(f"{name} is JSON, such as {json.dumps(sample)}", param_hint="--set") from None


@cli.command("suppressions")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def suppressions_command(as_json: bool) -> None:
    """List addresses that get no mail of some or all categories."""
    rows = reading().scalars(select(MailSuppression).order_by(MailSuppression.created_at.desc())).all()
    if as_json:
        listed = [
            {"address": row.address, "cause": row.cause, "detail": row.detail, "since": row.created_at.isoformat()}
            for row in rows
        ]
        click.echo(json.dumps({"suppressions": listed}))
        return
    for row in rows:
        click.echo(f"{row.cause:<12} {row.address}  {row.detail or ''}".rstrip())


@cli.command("lift")
@click.argument("address")
@click.option("--reason", required=True, help="Why; goes into the audit trail.")
@with_appcontext
def lift_command(address: str, reason: str) -> None:
    """Let ADDRESS get mail again."""
    with unit_of_work() as uow:
        count = lift(uow, address)
        if count:
            uow.audit("mail_suppression:lifted", target_type="address", target_id=address, reason=reason)
    if not count:
        raise click.ClickException(f"{address} is not suppressed")
    click.echo(f"lifted {count} suppression(s) of {address}")
