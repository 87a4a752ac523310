"""Sending: `send_mail` asks for it in the caller's transaction; a job renders and hands the message to SMTP."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import Any

from jiki_core.configuration import derived_key
from jiki_core.db import UnitOfWork
from jiki_core.jobs import Job, JobRun, Retry
from jiki_core.mail.smtp import deliver
from jiki_core.observability import counter, get_logger
from jiki_core.runtime import runtime
from jiki_core.security import SealingKeys

log = get_logger(__name__)
_sent = counter("jiki_mails_total", "Mails handed to the transport", ["template", "category"])


def send_mail(uow: UnitOfWork, key: str, *, to: str, context: Mapping[str, Any], locale: str = "en") -> None:
    """Sends the template `key` to an address after the commit. Raises LookupError for a template nobody declared."""
    bound = runtime().emails.get(key)
    if bound is None:
        raise LookupError(f"no plugin declares the e-mail {key!r}; return it from jiki_emails")
    missing = [name for name in bound.template.context if name not in context]
    if missing:
        raise TypeError(f"the e-mail {key!r} needs {', '.join(missing)}")
    waiting = dict(context)
    for name in bound.template.secrets:
        waiting[name] = _keys().seal(str(context[name]).encode(), bound_to=f"{key}:{name}")
    uow.enqueue(deliver_mail, key=key, to=to, context=waiting, locale=locale)


def deliver_mail(run: JobRun, key: str, to: str, context: dict[str, Any], locale: str) -> None:
    """Job: at least once by name. A lost acknowledgement can double a mail; its Message-ID stays the same."""
    bound = runtime().emails[key]
    settings = runtime().settings
    for name in bound.template.secrets:
        context[name] = _keys().open(context[name], bound_to=f"{key}:{name}").decode()
    rendered = bound.render(locale, {**context, "frontend_url": settings.frontend_url.rstrip("/")})
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = to
    message["Subject"] = rendered.subject
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = f"<{run.id}@{parseaddr(settings.mail_from)[1].partition('@')[2]}>"
    message["X-Jiki-Template"] = key
    message.set_content(rendered.text)
    if rendered.html is not None:
        message.add_alternative(rendered.html, subtype="html")
    deliver(settings.mail_smtp_url.reveal(), message)
    _sent.labels(key, bound.template.category).inc()


def _keys() -> SealingKeys:
    return SealingKeys((derived_key(runtime().settings, "mail-context"),))


DELIVER_MAIL = Job(deliver_mail, queue="mail", retry=Retry(limit=12), timeout_seconds=60)
