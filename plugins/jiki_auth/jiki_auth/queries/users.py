"""Users as admins see them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select

from jiki_auth.errors import UserNotFound
from jiki_auth.models import ApiKey, User, UserRole
from jiki_auth.permissions import ADMIN
from jiki_core.contracts import Translator, ask
from jiki_core.db import reading
from jiki_core.db.records import AuditEvent
from jiki_core.http import Page, paginate

#: bigint's end; ids beyond it are nobody's
MAXIMUM_ID = 2**63 - 1


def search_users(*, name: str, email: str, page: int, per: int) -> Page[dict[str, Any]]:
    """Users whose name and address contain the texts, case included (contract.md 2.6), oldest first."""
    query = _admin_users().order_by(User.id)
    if name:
        query = query.where(User.name.contains(name, autoescape=True))
    if email:
        query = query.where(User.email.contains(email, autoescape=True))
    found = paginate(reading(), query, page=page, per=per)
    return Page([_shape(row) for row in found.items], found.current_page, found.total_count, found.per)


def admin_user(user_id: int) -> dict[str, Any]:
    """Raises UserNotFound."""
    row = reading().execute(_admin_users().where(User.id == user_id)).one_or_none() if _is_id(user_id) else None
    if row is None:
        raise UserNotFound()
    return _shape(row)


def require_user(user_id: int) -> None:
    """Raises UserNotFound."""
    admin_user(user_id)


def roles_given(user_id: int) -> list[str]:
    return sorted(reading().execute(select(UserRole.role).where(UserRole.user_id == user_id)).scalars())


def user_id_of(email: str) -> int | None:
    """By the address as it is stored."""
    return reading().execute(select(User.id).where(User.email == email)).scalar_one_or_none()


def audit_of(user_id: int, *, page: int, per: int) -> Page[Any]:
    """What a user did and what was done to them, newest first."""
    concerned: ColumnElement[bool] = or_(
        AuditEvent.actor_id == user_id,
        and_(AuditEvent.target_type == "user", AuditEvent.target_id == str(user_id)),
    )
    query: Any = (
        select(
            AuditEvent.id,
            AuditEvent.at,
            AuditEvent.action,
            AuditEvent.outcome,
            AuditEvent.actor_id,
            AuditEvent.reason,
            AuditEvent.request_id,
        )
        .where(concerned)
        .order_by(AuditEvent.id.desc())
    )
    return paginate(reading(), query, page=page, per=per)


def all_api_keys(email: str | None = None) -> list[tuple[str, str, str, list[str]]]:
    """(id, owner's address, name, scopes) of every key, or of one owner's."""
    query = select(ApiKey.id, User.email, ApiKey.name, ApiKey.scopes).join(User, User.id == ApiKey.user_id)
    if email is not None:
        query = query.where(User.email == email)
    return [(row[0], row[1], row[2], row[3]) for row in reading().execute(query.order_by(User.email, ApiKey.id))]


def _admin_users() -> Any:
    """A select; its row type has more members than its readers want to name."""
    is_admin = exists().where(UserRole.user_id == User.id, UserRole.role == ADMIN)
    return select(User.id, User.name, User.email, User.explicit_locale, User.language_tags, is_admin.label("is_admin"))


def _shape(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "email": row.email,
        "locale": ask(Translator).resolve_locale(row.explicit_locale, row.language_tags),
        "admin": row.is_admin,
    }


def _is_id(user_id: int) -> bool:
    return 0 < user_id <= MAXIMUM_ID
