"""Answers to the core's questions about users."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select

from jiki_auth.authentication import identity_of, live_session
from jiki_auth.models import User
from jiki_core.contracts import Account, Translator, ask
from jiki_core.db import reading
from jiki_core.security import Identity


class UserAccounts:
    """Answers `Accounts`."""

    def get_many(self, ids: Sequence[int]) -> list[Account]:
        users = reading().scalars(select(User).where(User.id.in_(list(ids))))
        return [
            Account(
                id=user.id,
                handle=user.handle,
                email=user.email,
                name=user.name,
                locale=ask(Translator).resolve_locale(user.explicit_locale, user.language_tags),
                timezone=user.timezone,
                may_receive=user.confirmed_at is not None,
            )
            for user in users
        ]


class LiveSignIns:
    """Answers `SignIns`: what a session stands for now."""

    def identity_of(self, session_id: str) -> Identity | None:
        try:
            facts = live_session(uuid.UUID(session_id))
        except ValueError:
            return None
        return identity_of(facts, "session") if facts is not None else None
