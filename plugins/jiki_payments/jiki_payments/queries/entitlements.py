"""Who is entitled to what, now (contract.md 3.9)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, or_, select

from jiki_core.db import reading
from jiki_payments.models import Entitlement


def is_active() -> ColumnElement[bool]:
    """The condition under which a row counts, on the database's clock."""
    return and_(
        Entitlement.revoked_at.is_(None),
        or_(Entitlement.expires_at.is_(None), Entitlement.expires_at > func.clock_timestamp()),
    )


def has_entitlement(user_id: int, entitlement: str) -> bool:
    """Whether one of the user's rows is active."""
    query = select(Entitlement.id).where(
        Entitlement.user_id == user_id, Entitlement.entitlement == entitlement, is_active()
    )
    return reading().execute(query.limit(1)).first() is not None


def entitled_among(user_ids: Sequence[int], entitlement: str) -> set[int]:
    """Those of the users who have it, in one statement."""
    query = select(Entitlement.user_id).where(
        Entitlement.user_id.in_(list(user_ids)), Entitlement.entitlement == entitlement, is_active()
    )
    return set(reading().scalars(query))


def entitlements_of(user_id: int) -> list[Entitlement]:
    """All rows of a user, open and ended, newest first."""
    query = select(Entitlement).where(Entitlement.user_id == user_id).order_by(Entitlement.id.desc())
    return list(reading().scalars(query.execution_options(populate_existing=True)))
