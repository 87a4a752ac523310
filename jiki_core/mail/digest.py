"""The digest: once a day, in the morning of the learner's time zone, a mail about notifications that were not read.

Each notification is told of at most once. Who wants the mail is asked of `DigestWishes`; kinds that somebody switched
off are not kept for them, and so never told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import func, select, update

from jiki_core.contracts import Accounts, DigestWishes, Translator, ask
from jiki_core.db import UnitOfWork
from jiki_core.db.outbox import JobOptions
from jiki_core.db.records import Notification
from jiki_core.jobs import Job, Schedule
from jiki_core.mail.sending import send_mail
from jiki_core.mail.templates import EmailTemplate
from jiki_core.runtime import runtime

#: earliest hour of the day at which it is sent
MORNING = 8
#: younger notifications wait for the next one: their reader may be about to see them
REST = timedelta(hours=1)
#: people looked at in one piece
PAGE = 1_000

DIGEST = EmailTemplate(
    "core.digest",
    category="notifications",
    context=("handle", "count", "lines", "unsubscribe_url"),
    samples={"count": 3, "lines": ["2 × A badge was earned", "1 × All of its lessons are done"]},
)


def plan_digests(uow: UnitOfWork) -> int:
    """Job, each hour: asks for the digest of everybody for whom it is morning and who has something unread."""
    untold = select(Notification.user_id).where(
        Notification.read_at.is_(None),
        Notification.digested_at.is_(None),
        Notification.created_at < uow.now - REST,
    )
    rows = uow.session.execute(
        select(Notification.user_id, func.max(Notification.digested_at))
        .where(Notification.user_id.in_(untold))
        .group_by(Notification.user_id)
    ).all()
    last = dict(rows)
    users, asked = sorted(last), 0
    for start in range(0, len(users), PAGE):
        for account in ask(Accounts).get_many(users[start : start + PAGE]):
            if is_due(uow.now, account.timezone, last[account.id]):
                uow.enqueue_with(
                    JobOptions(unique_key=f"core.mail_digest:{account.id}"), mail_digest, user_id=account.id
                )
                asked += 1
    return asked


def mail_digest(uow: UnitOfWork, user_id: int) -> str:
    """Job: mails one person's unread notifications, and remembers that they were told; says what became of it."""
    wishes = ask(DigestWishes).wanting([user_id])
    accounts = ask(Accounts).get_many([user_id])
    if wishes is None or not accounts:
        return "nobody can say whether it is wanted"  # auth is paused: tomorrow's digest tells
    told = uow.session.scalars(
        update(Notification)
        .where(
            Notification.user_id == user_id,
            Notification.read_at.is_(None),
            Notification.digested_at.is_(None),
            Notification.created_at < uow.now - REST,
        )
        .values(digested_at=uow.now)
        .returning(Notification.type)
    ).all()
    if not told or user_id not in wishes:
        return "nothing to tell" if not told else "not wanted"
    account, wish = accounts[0], wishes[user_id]
    send_mail(
        uow,
        DIGEST.key,
        to=account.email,
        locale=account.locale,
        context={
            "handle": account.handle,
            "count": len(told),
            "lines": _lines(told, account.locale),
            "unsubscribe_url": wish.page_url,
        },
        headers=wish.headers,
        dedupe_key=f"{user_id}:{uow.now.astimezone(zone_of(account.timezone)).date()}",
    )
    return "sent"


def is_due(now: datetime, timezone: str, last: datetime | None) -> bool:
    """Whether it is morning or later where somebody lives, and today's digest was not sent. Pure."""
    here = now.astimezone(zone_of(timezone))
    return here.hour >= MORNING and (last is None or last.astimezone(here.tzinfo).date() < here.date())


def zone_of(name: str) -> ZoneInfo:
    """UTC for a zone that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _lines(types: Sequence[str], locale: str) -> list[str]:
    """One line for each kind, the most frequent first: "3 × A badge was earned"."""
    kinds = runtime().notification_kinds
    counts = {type: types.count(type) for type in dict.fromkeys(types)}
    texts = {type: (kinds[type].summary or kinds[type].label) if type in kinds else type for type in counts}
    words = ask(Translator).translate_many({_key(type): text for type, text in texts.items()}, locale)
    return [
        f"{count} × {words[_key(type)]}" for type, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    ]


def _key(type: str) -> str:
    plugin, _, kind = type.partition(".")
    return f"{plugin}:notifications.{kind}"


PLAN_DIGESTS = Job(plan_digests, unique=True, schedule=Schedule("7 * * * *"))
MAIL_DIGEST = Job(mail_digest, queue="mail")
