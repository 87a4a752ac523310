"""What frozen answers to others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, insert, select

from acme_frozen.contracts import Applause
from acme_frozen.models import Note, Visit
from jiki_core import AccountFields, AccountSetup, Provider, TranslatableTexts, UnitOfWork, reading, uuid7


class FrozenFields:
    def fields(self, shape: str, user_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        if shape != "profile":
            return {}
        counted = reading().execute(
            select(Note.user_id, func.count()).where(Note.user_id.in_(user_ids)).group_by(Note.user_id)
        )
        found = {row[0]: row[1] for row in counted}
        return {user_id: {"num_frozen_notes": found.get(user_id, 0)} for user_id in user_ids}


class FrozenSetup:
    def prepare(self, uow: UnitOfWork, user_id: int) -> bool:
        uow.session.execute(insert(Visit).values(id=uuid7(), user_id=user_id, visited_at=uow.now))
        return True


class FrozenTexts:
    def texts(self) -> Mapping[str, Mapping[str, str]]:
        return {"frozen": {"thanks": "Thank you, {handle}!"}}


class FrozenApplause:
    def clap(self, note_id: int) -> int:
        return note_id % 10


PROVIDERS = [
    Provider(AccountFields, FrozenFields),
    Provider(AccountSetup, FrozenSetup),
    Provider(TranslatableTexts, FrozenTexts),
    Provider(Applause, FrozenApplause),
]
