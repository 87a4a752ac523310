"""Takes an entitlement back. Others of the user are not touched (contract.md 7.15)."""

from __future__ import annotations

from jiki_core.db import UnitOfWork
from jiki_payments.commands.announce_membership import Membership, announce_membership
from jiki_payments.commands.grant_entitlement import open_entitlement
from jiki_payments.commands.member import lock_member
from jiki_payments.errors import EntitlementNotFound
from jiki_payments.models import PREMIUM, Source


def revoke_entitlement(
    uow: UnitOfWork,
    user_id: int,
    source: Source,
    *,
    entitlement: str = PREMIUM,
    actor_id: int | None = None,
    note: str | None = None,
) -> Membership:
    """Raises NotFound for an unknown user, EntitlementNotFound when there is nothing of that source to take."""
    member = lock_member(uow, user_id)
    held = open_entitlement(uow, user_id, source, entitlement)
    if held is None:
        raise EntitlementNotFound(source=str(source))
    held.revoked_at = uow.now
    uow.audit(
        "entitlement:revoked",
        actor_id=actor_id,
        target_type="user",
        target_id=user_id,
        before={"entitlement": entitlement, "source": str(source)},
        reason=note,
        plugin="payments",
    )
    return announce_membership(uow, member)
