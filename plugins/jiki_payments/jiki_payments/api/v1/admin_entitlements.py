"""`admin/entitlements`: who has premium and why; giving it and taking it back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from jiki_core.db import reading, unit_of_work
from jiki_core.errors import FieldError, NotFound, ValidationFailed
from jiki_core.http import Blueprint, Reply, no_content, paginate, policy, reply, reply_page, timestamp
from jiki_core.security import me
from jiki_payments.commands.grant_entitlement import grant_entitlement
from jiki_payments.commands.revoke_entitlement import revoke_entitlement
from jiki_payments.errors import EntitlementNotFound
from jiki_payments.models import GIVEN_BY_HAND, Entitlement, Source
from jiki_payments.queries.entitlements import entitlements_of
from jiki_payments.schemas import EntitlementBody, EntitlementReply, EntitlementsQuery, EntitlementsReply

blp = Blueprint("entitlements", __name__, url_prefix="/entitlements", description="Entitlements, and giving them")


@blp.route("")
@policy("payments.administer")
@blp.arguments(EntitlementsQuery, location="query")
@blp.response(200, EntitlementsReply)
@blp.raises(ValidationFailed)
def index(query: dict[str, Any]) -> Reply:
    """Open and ended ones, newest first; of one user with `user_id`."""
    rows = select(Entitlement).order_by(Entitlement.id.desc())
    if text := query["user_id"]:
        if not text.isdecimal() or len(text) > 18:
            raise ValidationFailed({"user_id": [FieldError("invalid", value=text)]})
        rows = rows.where(Entitlement.user_id == int(text))
    page = paginate(reading(), rows, page=query["page"], per=query["per"])
    return reply_page(page, [_shape(row) for row in page.items])


@blp.route("", methods=["POST"])
@policy("payments.administer")
@blp.arguments(EntitlementBody)
@blp.response(201, EntitlementReply)
@blp.raises(NotFound, ValidationFailed)
def create(body: dict[str, Any]) -> Reply:
    """Gives premium, or moves the end of what that source gave."""
    with unit_of_work() as uow:
        grant_entitlement(
            uow,
            body["user_id"],
            Source(body["source"]),
            expires_at=body["expires_at"],
            actor_id=me().user_id,
            note=body["note"],
        )
    newest = next(row for row in entitlements_of(body["user_id"]) if row.source == body["source"])
    return reply({"entitlement": _shape(newest)}, status=201)


@blp.route("/<int:entitlement_id>", methods=["DELETE"])
@policy("payments.administer")
@blp.response(204)
@blp.raises(EntitlementNotFound)
def delete(entitlement_id: int) -> Reply:
    """Takes it back. What Stripe gave is ended by cancelling the subscription, not here."""
    with unit_of_work() as uow:
        row = uow.session.get(Entitlement, entitlement_id) if entitlement_id < 2**63 else None
        if row is None or row.revoked_at is not None or row.source not in GIVEN_BY_HAND:
            raise EntitlementNotFound()
        revoke_entitlement(uow, row.user_id, Source(row.source), actor_id=me().user_id)
    return no_content()


def _shape(row: Entitlement) -> dict[str, Any]:
    return {
        "id": row.id,
        "user_id": row.user_id,
        "entitlement": row.entitlement,
        "source": row.source,
        "granted_at": timestamp(row.granted_at),
        "expires_at": timestamp(row.expires_at),
        "revoked_at": timestamp(row.revoked_at),
        "granted_by": row.granted_by,
        "note": row.note,
    }
