"""Gives somebody an entitlement, or moves the end of one they have (contract.md 3.9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from jiki_core.db import UnitOfWork
from jiki_payments.commands.announce_membership import announce_membership
from jiki_payments.commands.member import lock_member
from jiki_payments.models import PREMIUM, Entitlement, Source


@dataclass(frozen=True, slots=True)
class Granted:
    """The entitlement as it is now."""

    user_id: int
    source: str
    expires_at: datetime | None
    is_premium: bool


def grant_entitlement(
    uow: UnitOfWork,
    user_id: int,
    source: Source,
    *,
    expires_at: datetime | None = None,
    entitlement: str = PREMIUM,
    actor_id: int | None = None,
    note: str | None = None,
) -> Granted:
    """Repeating it changes nothing; an expired row stays as history and a new one follows. Raises NotFound."""
    member = lock_member(uow, user_id)
    held = open_entitlement(uow, user_id, source, entitlement)
    is_beginning = expires_at is None or expires_at > uow.now
    if held is not None and is_beginning and held.expires_at is not None and held.expires_at <= uow.now:
        held.revoked_at = held.expires_at
        uow.session.flush()
        held = None
    before = None if held is None else {"expires_at": _text(held.expires_at)}
    if held is None:
        held = Entitlement(user_id=user_id, entitlement=entitlement, source=source, granted_at=uow.now)
        uow.session.add(held)
    if before is None or held.expires_at != expires_at:
        held.expires_at, held.granted_by, held.note = expires_at, actor_id, note
        uow.session.flush()
        uow.audit(
            "entitlement:granted",
            actor_id=actor_id,
            target_type="user",
            target_id=user_id,
            before=before,
            after={"entitlement": entitlement, "source": source, "expires_at": _text(expires_at)},
            reason=note,
            plugin="payments",
        )
    membership = announce_membership(uow, member)
    return Granted(user_id, source, expires_at, membership.is_premium)


def open_entitlement(uow: UnitOfWork, user_id: int, source: Source, entitlement: str = PREMIUM) -> Entitlement | None:
    """The row of that source which was not revoked, expired or not. The member must be locked."""
    return uow.session.scalar(
        select(Entitlement)
        .where(
            Entitlement.user_id == user_id,
            Entitlement.entitlement == entitlement,
            Entitlement.source == source,
            Entitlement.revoked_at.is_(None),
        )
        .execution_options(populate_existing=True)
    )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
