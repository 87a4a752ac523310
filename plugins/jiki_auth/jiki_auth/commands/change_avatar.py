"""Sets and removes an account's avatar; what was there before goes with the commit."""

from __future__ import annotations

from sqlalchemy import select

from jiki_auth.models import User
from jiki_core.db import UnitOfWork
from jiki_core.storage import StagedFile, detach, replace_attachment

NAME = "avatar"


def set_avatar(uow: UnitOfWork, user_id: int, staged: StagedFile) -> None:
    """`staged` is a drawn-anew image of the kind `auth.avatar`."""
    user = _locked(uow, user_id)
    user.avatar_url = replace_attachment(uow, staged, User, user_id, name=NAME).public_url


def set_first_avatar(uow: UnitOfWork, user_id: int, staged: StagedFile) -> bool:
    """The same, unless there is one by now, or no account any more; tells whether it was set."""
    has_none = select(User).where(User.id == user_id, User.avatar_url.is_(None)).with_for_update()
    if uow.session.execute(has_none).scalar_one_or_none() is None:
        return False
    set_avatar(uow, user_id, staged)
    return True


def remove_avatar(uow: UnitOfWork, user_id: int) -> None:
    """None there is fine."""
    _locked(uow, user_id).avatar_url = None
    detach(uow, User, user_id, name=NAME)


def _locked(uow: UnitOfWork, user_id: int) -> User:
    """The row is held, so that of two uploads at once one file stays and the other goes."""
    return uow.session.execute(select(User).where(User.id == user_id).with_for_update()).scalar_one()
