"""Gives and takes roles."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from jiki_auth.commands.end_sessions import end_sessions_of
from jiki_auth.models import UserRole
from jiki_auth.queries.sessions import session_cache
from jiki_core.db import UnitOfWork
from jiki_core.errors import FieldError, ValidationFailed
from jiki_core.runtime import runtime


def grant_role(uow: UnitOfWork, user_id: int, role: str, *, actor_id: int | None = None) -> None:
    """Gives a role that some plugin declares; its sessions end, so that what needs a second factor asks for it.

    Raises ValidationFailed for an unknown role, and for one that everybody has.
    """
    known = runtime().roles.get(role)
    if known is None or known.is_default:
        raise ValidationFailed({"role": [FieldError("inclusion", value=role)]})
    is_new = uow.session.execute(
        insert(UserRole)
        .values(user_id=user_id, role=role, granted_at=uow.now)
        .on_conflict_do_nothing()
        .returning(UserRole.role)
    ).scalar_one_or_none()
    if is_new is not None:
        end_sessions_of(uow, user_id, actor_id=actor_id, reason="role granted")
        _record(uow, "role:granted", user_id, role, actor_id)


def revoke_role(uow: UnitOfWork, user_id: int, role: str, *, actor_id: int | None = None) -> None:
    """Takes a role away, one of a plugin that is gone too; open sockets come back without it. Not having it is no error."""
    was_held = uow.session.execute(
        delete(UserRole).where(UserRole.user_id == user_id, UserRole.role == role).returning(UserRole.role)
    ).scalar_one_or_none()
    if was_held is not None:
        _record(uow, "role:revoked", user_id, role, actor_id)
        uow.after_commit(lambda: runtime().disconnect(user_id, reconnect=True))


def _record(uow: UnitOfWork, action: str, user_id: int, role: str, actor_id: int | None) -> None:
    uow.audit(action, actor_id=actor_id, target_type="user", target_id=user_id, after={"role": role}, plugin="auth")
    uow.after_commit(lambda: session_cache().forget_user(user_id))
