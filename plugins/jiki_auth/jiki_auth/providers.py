"""Answers to questions about users: the core's, and those of auth's own contracts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import or_, select

from jiki_auth import captcha
from jiki_auth.authentication import identity_of, live_session
from jiki_auth.commands.delete_account import delete_account, prepare_deletion
from jiki_auth.errors import StripeError
from jiki_auth.models import User
from jiki_auth.unsubscribe_links import PREFERENCES, one_click_headers, page_url
from jiki_core.contracts import Account, Translator, Unsubscribing, ask
from jiki_core.db import UnitOfWork, reading
from jiki_core.security import Identity


class UserAccounts:
    """Answers `Accounts`. `may_receive` is about notifications and marketing; account mail asks for less."""

    def get_many(self, ids: Sequence[int]) -> list[Account]:
        return [_account(user) for user in reading().scalars(select(User).where(User.id.in_(list(ids))))]

    def find(self, name: str) -> Account | None:
        wanted = name.strip().lower()
        user = reading().scalar(select(User).where(or_(User.email == wanted, User.handle == wanted)))
        return None if user is None else _account(user)


def _account(user: User) -> Account:
    return Account(
        id=user.id,
        handle=user.handle,
        email=user.email,
        name=user.name,
        locale=ask(Translator).resolve_locale(user.explicit_locale, user.language_tags),
        timezone=user.timezone,
        may_receive=_may_receive(user),
        country_code=user.country_code,
    )


def _may_receive(user: User) -> bool:
    return user.confirmed_at is not None and user.email_bounced_at is None and user.email_complaint_at is None


class LiveSignIns:
    """Answers `SignIns`: what a session stands for now."""

    def identity_of(self, session_id: str) -> Identity | None:
        try:
            facts = live_session(uuid.UUID(session_id))
        except ValueError:
            return None
        return identity_of(facts, "session") if facts is not None else None


class ClosingAccounts:
    """Answers `AccountErasure`: an erasure ends an account as its owner's own deletion does."""

    def prepare(self, user_id: int) -> bool:
        try:
            prepare_deletion(user_id)
        except StripeError:
            return False
        return True

    def close(self, uow: UnitOfWork, user_id: int, reason: str) -> bool:
        delete_account(uow, user_id, reason=reason)
        return True


class UserConsent:
    """Answers `MailConsent`."""

    def allows(self, user_id: int, preference: str) -> bool:
        user = reading().get(User, user_id, populate_existing=True)
        return user is not None and _may_receive(user) and bool(getattr(user, PREFERENCES[preference]))

    def unsubscribe_headers(self, user_id: int, preference: str) -> dict[str, str]:
        return one_click_headers(user_id, preference)

    def unsubscribe_url(self, user_id: int, preference: str) -> str:
        return page_url(user_id, preference)


class WantedStreaks:
    """Answers `StreakWishes`."""

    def wanting(self, user_ids: Sequence[int]) -> list[int]:
        wanted = select(User.id).where(User.id.in_(list(user_ids)), User.streaks_enabled)
        return list(reading().scalars(wanted))


class DigestConsent:
    """Answers the core's `DigestWishes` by the preference `activity_emails`."""

    def wanting(self, user_ids: Sequence[int]) -> dict[int, Unsubscribing] | None:
        found = reading().scalars(select(User).where(User.id.in_(list(user_ids)), User.receive_activity_emails))
        return {
            user.id: Unsubscribing(one_click_headers(user.id, "activity_emails"), page_url(user.id, "activity_emails"))
            for user in found
            if _may_receive(user)
        }


class Captcha:
    """Answers `HumanCheck`."""

    def is_human(self, answer: str | None, address: str) -> bool:
        return captcha.is_human(answer, address)
