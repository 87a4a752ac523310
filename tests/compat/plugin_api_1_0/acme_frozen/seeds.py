"""What is there from the start."""

from __future__ import annotations

from sqlalchemy import insert

from acme_frozen.models import Visit
from jiki_core import UnitOfWork, uuid7


def first_visit(uow: UnitOfWork) -> None:
    uow.session.execute(insert(Visit).values(id=uuid7(), user_id=1, visited_at=uow.now))
