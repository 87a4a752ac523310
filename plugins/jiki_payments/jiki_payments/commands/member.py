"""The access function of payments' commands: a user's row, locked, so that two changes of one user never interleave."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from jiki_core.contracts import Account, Accounts, ask
from jiki_core.db import UnitOfWork
from jiki_core.errors import NotFound
from jiki_payments.models import Member


def lock_member(uow: UnitOfWork, user_id: int) -> Member:
    """The user's row, made when missing, locked until the unit ends. Raises NotFound for an unknown user."""
    query = select(Member).where(Member.user_id == user_id).with_for_update()
    query = query.execution_options(populate_existing=True)
    member = uow.session.scalar(query)
    if member is not None:
        return member
    if account_of(user_id) is None:
        raise NotFound()
    uow.session.execute(insert(Member).values(user_id=user_id, created_at=uow.now).on_conflict_do_nothing())
    return uow.session.scalars(query).one()


def account_of(user_id: int) -> Account | None:
    """Who that is, None for an unknown user."""
    return next(iter(ask(Accounts).get_many([user_id])), None)
