"""Sending: `send_mail` asks for it in the caller's transaction; a job renders the message and hands it to the transport.

Transactional mail and notifications are sent at least once: a lost acknowledgement can double one, with the same
Message-ID. Marketing is sent at most once: when nobody knows whether it went out, it is not sent again.
"""

from __future__ import annotations

import email.policy
import re
import uuid
from collections.abc import Mapping
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import Policy
from email.utils import formatdate, parseaddr
from typing import Any

from sqlalchemy import Text, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.configuration import CoreSettings, derived_key
from jiki_core.db import CoreModel, Timestamp, UnitOfWork, reading, unit_of_work
from jiki_core.db.outbox import Priority
from jiki_core.jobs import Job, JobOptions, JobRun, PermanentFailure, Retry
from jiki_core.mail.suppression import may_receive, suppress
from jiki_core.mail.templates import BoundTemplate, Category, RenderedMail
from jiki_core.mail.transport import AddressRefused, NotAccepted, OutcomeUnknown, hand_over
from jiki_core.mail.unsubscribing import unsubscribe_headers
from jiki_core.observability import counter, get_logger
from jiki_core.runtime import runtime
from jiki_core.security import SealingKeys

log = get_logger(__name__)
#: headers that a sender may add; everything else is ours
EXTRA_HEADERS = frozenset({"list-unsubscribe", "list-unsubscribe-post", "reply-to"})
_LINE_BREAK = re.compile(r"[\r\n]")


class UrlHeader(UnstructuredHeader):
    """A header of one line: folding would turn a long URL into encoded words, which no mail program takes for one."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]  # the registry mixes in BaseHeader


_headers = HeaderRegistry()
_headers.map_to_type("list-unsubscribe", UrlHeader)  # type: ignore[arg-type]  # typeshed has the mixed class in mind
POLICY = email.policy.default.clone(header_factory=_headers)

_mails = counter("jiki_mails_total", "Mails by what became of them", ["template", "category", "outcome"])


class MailDedupeKey(CoreModel):
    """A mail that was asked for under a key of its own, so that asking again sends nothing."""

    __tablename__ = "mail_dedupe_keys"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    outbox_id: Mapped[uuid.UUID]
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())


def send_mail(
    uow: UnitOfWork,
    key: str,
    *,
    to: str,
    context: Mapping[str, Any],
    locale: str = "en",
    dedupe_key: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Sends the template `key` to an address after the commit. Raises LookupError for a template nobody declared.

    `dedupe_key`: asking again with the same one sends nothing. `headers` may hold Reply-To and, for notifications and
    marketing, List-Unsubscribe and List-Unsubscribe-Post (RFC 8058) of the sender's own button; without them such mail
    gets the core's, which stops these categories for the address. Account mail cannot be refused: TypeError.
    """
    bound = runtime().emails.get(key)
    if bound is None:
        raise LookupError(f"no plugin declares the e-mail {key!r}; return it from jiki_emails")
    missing = [name for name in bound.template.context if name not in context]
    if missing:
        raise TypeError(f"the e-mail {key!r} needs {', '.join(missing)}")
    given = dict(headers or {})
    if foreign := sorted(name for name in given if name.lower() not in EXTRA_HEADERS):
        raise TypeError(f"the e-mail {key!r} may not set {', '.join(foreign)}")
    if bound.template.category == "transactional" and any(map(_is_unsubscribing, given)):
        raise TypeError(f"the e-mail {key!r} is transactional, which nobody can refuse: leave List-Unsubscribe out")
    waiting = dict(context)
    for name in bound.template.secrets:
        waiting[name] = _keys().seal(str(context[name]).encode(), bound_to=f"{key}:{name}")
    arguments = {"key": key, "to": to, "context": waiting, "locale": locale, "headers": given}
    job_name = runtime().job_names[deliver_mail]
    if dedupe_key is not None:
        is_new = uow.session.execute(
            insert(MailDedupeKey)
            .values(key=f"{key}:{dedupe_key}", outbox_id=uuid.UUID(int=0))
            .on_conflict_do_nothing()
            .returning(MailDedupeKey.key)
        ).scalar_one_or_none()
        if is_new is None:
            log.info("mail_asked_for_before", template=key)
            return
    priority: Priority = "high" if bound.template.category == "transactional" else "normal"
    outbox_id = uow.enqueue_named(job_name, arguments, JobOptions(priority=priority))
    if dedupe_key is not None:
        uow.session.get_one(MailDedupeKey, f"{key}:{dedupe_key}").outbox_id = outbox_id


def deliver_mail(
    run: JobRun, key: str, to: str, context: dict[str, Any], locale: str, headers: dict[str, str] | None = None
) -> None:
    """Job: renders and hands over one mail, unless its address is suppressed by now."""
    bound = runtime().emails.get(key)
    if bound is None:
        raise PermanentFailure(f"no plugin declares the e-mail {key!r} any more")
    category = bound.template.category
    opened = {name: _keys().open(context[name], bound_to=f"{key}:{name}").decode() for name in bound.template.secrets}
    if not may_receive(reading(), to, category):
        run.result = "suppressed"
    elif category == "marketing" and run.checkpoint.get("is_handed_over"):
        run.result = "unknown"
    else:
        run.result = _deliver(run, bound, to, {**context, **opened}, locale, headers or {})
    _mails.labels(key, category, run.result).inc()


def _deliver(
    run: JobRun, bound: BoundTemplate, to: str, context: Mapping[str, Any], locale: str, headers: Mapping[str, str]
) -> str:
    settings, category = runtime().settings, bound.template.category
    rendered = render(bound, locale, context, settings)
    message = compose(settings, bound, rendered, to=to, headers=with_unsubscribe(category, to, headers), id=run.id)
    if category == "marketing":
        run.keep(is_handed_over=True)
    try:
        hand_over(settings, category, message)
    except NotAccepted:
        if category == "marketing":
            run.keep(is_handed_over=False)
        raise
    except AddressRefused as refused:
        with unit_of_work() as uow:
            suppress(uow, to, "bounce", str(refused))
        return "refused"
    except OutcomeUnknown:
        if category == "marketing":
            return "unknown"
        raise
    return "sent"


def render(bound: BoundTemplate, locale: str, context: Mapping[str, Any], settings: CoreSettings) -> RenderedMail:
    """The template with what every mail may use besides its context: `frontend_url`."""
    return bound.render(locale, {"frontend_url": settings.frontend_url.rstrip("/"), **context})


def with_unsubscribe(category: Category, to: str, headers: Mapping[str, str]) -> dict[str, str]:
    """The extra headers; mail that people may refuse always has the one-click button (RFC 8058, contract.md 3.14)."""
    if category == "transactional":  # asked for by older code: `send_mail` refuses it now
        return {name: value for name, value in headers.items() if not _is_unsubscribing(name)}
    if any(map(_is_unsubscribing, headers)):
        return dict(headers)
    return {**headers, **unsubscribe_headers(to)}


def _is_unsubscribing(header: str) -> bool:
    return header.lower().startswith("list-unsubscribe")


def compose(
    settings: CoreSettings,
    bound: BoundTemplate,
    rendered: RenderedMail,
    *,
    to: str,
    headers: Mapping[str, str],
    id: uuid.UUID,
) -> EmailMessage:
    """The message. Raises PermanentFailure for an address that is none."""
    sender = sender_of(settings, bound.template.category)
    message = EmailMessage(policy=POLICY)
    message["From"] = sender
    try:
        message["To"] = str(Address(addr_spec=to))
    except (ValueError, IndexError) as error:
        raise PermanentFailure(f"the recipient of {bound.template.key} is no e-mail address") from error
    message["Subject"] = _LINE_BREAK.sub(" ", rendered.subject)
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = f"<{id}@{parseaddr(sender)[1].partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Jiki-Template"] = bound.template.key
    for name, value in headers.items():
        message[name] = _LINE_BREAK.sub(" ", value)
    message.set_content(rendered.text)
    if rendered.html is not None:
        message.add_alternative(rendered.html, subtype="html")
    message["Content-Language"] = rendered.locale  # last: a message that gets a second part loses its Content- headers
    return message


def sender_of(settings: CoreSettings, category: Category) -> str:
    """Each category has its own sender, so that complaints about one do not spoil the others' reputation."""
    own = {"notifications": settings.mail_from_notifications, "marketing": settings.mail_from_marketing}
    return own.get(category) or settings.mail_from


def _keys() -> SealingKeys:
    """Opens what `EmailTemplate.secrets` names: a link's token must not lie readable in the outbox."""
    return SealingKeys((derived_key(runtime().settings, "mail-context"),))


DELIVER_MAIL = Job(deliver_mail, queue="mail", retry=Retry(limit=12), timeout_seconds=60)
