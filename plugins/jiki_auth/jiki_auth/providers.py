"""Answers to the core's questions about users."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import or_, select

from jiki_auth.authentication import identity_of, live_session
from jiki_auth.models import User
from jiki_core.contracts import Account, Translator, ask
from jiki_core.db import reading
from jiki_core.security import Identity


class UserAccounts:
    """Answers `Accounts`."""

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
        may_receive=user.confirmed_at is not None,
        country_code=user.country_code,
    )


class LiveSignIns:
    """Answers `SignIns`: what a session stands for now."""

    def identity_of(self, session_id: str) -> Identity | None:
        try:
            facts = live_session(uuid.UUID(session_id))
        except ValueError:
            return None
        return identity_of(facts, "session") if facts is not None else None
