"""Asks for the mail that celebrates a completed level: once per learner and level, however often it is completed."""

from __future__ import annotations

from sqlalchemy import func, select, update

from jiki_auth.contracts import MailConsent
from jiki_core.contracts import Accounts, ask
from jiki_core.db import UnitOfWork
from jiki_core.mail import send_mail
from jiki_learning.models import Level, LevelTranslation, UserLevel

#: the preference of auth's settings that these mails obey
PREFERENCE = "milestone_emails"


def tell_of_milestone(uow: UnitOfWork, user_id: int, level_slug: str, course_slug: str) -> None:
    """A notification; the mail, for levels that have one, is `mail_milestone`."""
    uow.notify(user_id, "learning.level_milestone", {"level_slug": level_slug, "course_slug": course_slug})


def mail_milestone(uow: UnitOfWork, user_id: int, level_id: int) -> None:
    """Nothing is sent for a level without a text, or to somebody who may not receive mail or does not want this kind."""
    accounts = ask(Accounts).get_many([user_id])
    if not accounts or not accounts[0].may_receive or not ask(MailConsent).allows(user_id, PREFERENCE):
        return
    account = accounts[0]
    level = uow.session.execute(
        select(
            func.coalesce(LevelTranslation.milestone_email_subject, Level.milestone_email_subject).label("subject"),
            func.coalesce(
                LevelTranslation.milestone_email_content_markdown, Level.milestone_email_content_markdown
            ).label("content"),
            Level.milestone_email_image_url.label("image_url"),
        )
        .outerjoin(
            LevelTranslation, (LevelTranslation.level_id == Level.id) & (LevelTranslation.locale == account.locale)
        )
        .where(Level.id == level_id)
    ).one()
    if not level.subject.strip():
        return
    is_first = uow.session.execute(
        update(UserLevel)
        .where(UserLevel.user_id == user_id, UserLevel.level_id == level_id, UserLevel.milestone_mailed_at.is_(None))
        .values(milestone_mailed_at=uow.now)
        .returning(UserLevel.id)
    ).scalar_one_or_none()
    if is_first is not None:
        from markdown_it import MarkdownIt  # only workers need its sixty modules

        send_mail(
            uow,
            "learning.level_milestone",
            to=account.email,
            locale=account.locale,
            context={
                "subject": level.subject,
                "content_text": level.content,
                # the preset without raw HTML: editors write Markdown, nothing else reaches a mail
                "content_html": MarkdownIt("js-default").render(level.content),
                "image_url": level.image_url,
                "unsubscribe_url": ask(MailConsent).unsubscribe_url(user_id, PREFERENCE),
            },
            headers=ask(MailConsent).unsubscribe_headers(user_id, PREFERENCE),
        )
