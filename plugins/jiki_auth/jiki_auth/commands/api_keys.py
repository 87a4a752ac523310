"""API keys: made, rotated and revoked by their owner (contract.md section 1, "API keys")."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select, update

from jiki_auth.api_key_format import ApiKeyParts, new_parts, parse
from jiki_auth.commands.mail_user import notify_owner
from jiki_auth.models import ApiKey
from jiki_auth.permissions import NEVER_BY_KEY
from jiki_auth.secrets_at_rest import matches, secret_hash
from jiki_core.db import UnitOfWork
from jiki_core.errors import FieldError, NotFound, ValidationFailed
from jiki_core.runtime import runtime

MAXIMUM_KEYS = 20
#: how long the secret before a rotation still works
ROTATION_OVERLAP = timedelta(hours=24)
#: how exact `last_used_at` is
USE_RECORDED_EVERY = timedelta(seconds=60)


@dataclass(frozen=True)
class IssuedKey:
    """A key whose text is shown this once."""

    id: str
    text: str


def create_api_key(
    uow: UnitOfWork,
    user_id: int,
    name: str,
    scopes: Sequence[str],
    *,
    expires_at: datetime | None,
    allowed: Collection[str],
) -> IssuedKey:
    """`allowed` are the owner's permissions. Raises ValidationFailed for scopes they lack and an end in the past."""
    grantable = set(allowed) - NEVER_BY_KEY
    faults: dict[str, list[FieldError]] = {}
    if not scopes or not set(scopes) <= grantable:
        faults["scopes"] = [FieldError("inclusion")]
    if expires_at is not None and expires_at <= uow.now:
        faults["expires_at"] = [FieldError("invalid")]
    if uow.session.execute(select(func.count()).where(ApiKey.user_id == user_id)).scalar_one() >= MAXIMUM_KEYS:
        faults["base"] = [FieldError("too_long", count=MAXIMUM_KEYS)]
    if faults:
        raise ValidationFailed(faults)
    parts = new_parts(runtime().settings.env)
    uow.session.execute(
        insert(ApiKey).values(
            id=parts.id,
            user_id=user_id,
            name=name,
            scopes=sorted(set(scopes)),
            secret_hash=secret_hash(parts.secret),
            created_at=uow.now,
            expires_at=expires_at,
        )
    )
    uow.audit(
        "api_key:created",
        actor_id=user_id,
        target_type="api_key",
        target_id=parts.id,
        after={"scopes": sorted(set(scopes))},
        plugin="auth",
    )
    notify_owner(uow, user_id, "api_key_created", name)
    return IssuedKey(parts.id, parts.text)


def rotate_api_key(uow: UnitOfWork, user_id: int, key_id: str) -> IssuedKey:
    """A new secret for a key; the old one works for another day. Raises NotFound."""
    row = uow.session.execute(
        select(ApiKey).where(ApiKey.id == key_id, ApiKey.user_id == user_id).with_for_update()
    ).scalar_one_or_none()
    if row is None:
        raise NotFound()
    parts: ApiKeyParts = new_parts(runtime().settings.env, row.id)
    row.previous_hash, row.previous_until = row.secret_hash, uow.now + ROTATION_OVERLAP
    row.secret_hash = secret_hash(parts.secret)
    uow.audit("api_key:rotated", actor_id=user_id, target_type="api_key", target_id=row.id, plugin="auth")
    return IssuedKey(row.id, parts.text)


def delete_api_key(uow: UnitOfWork, key_id: str, *, owner_id: int | None = None) -> None:
    """At once, both secrets; `owner_id` None is an operator. Raises NotFound."""
    conditions = [ApiKey.id == key_id] + ([ApiKey.user_id == owner_id] if owner_id is not None else [])
    user_id = uow.session.execute(delete(ApiKey).where(*conditions).returning(ApiKey.user_id)).scalar_one_or_none()
    if user_id is None:
        raise NotFound()
    uow.audit("api_key:deleted", actor_id=owner_id, target_type="api_key", target_id=key_id, plugin="auth")


def remove_leaked_key(uow: UnitOfWork, text: str, found_at: str) -> bool:
    """Removes the key whose whole text lies in the open, and tells its owner. False for what is no live key of ours.

    The secret must match: whoever knows an id only cannot take somebody's key away.
    """
    parts = parse(text, runtime().settings.env)
    if parts is None:
        return False
    row = uow.session.execute(select(ApiKey).where(ApiKey.id == parts.id).with_for_update()).scalar_one_or_none()
    if row is None:
        return False
    known = (row.secret_hash, row.previous_hash)
    if not any(stored is not None and matches(parts.secret, stored) for stored in known):
        return False
    uow.session.delete(row)
    uow.audit(
        "api_key:removed_leak",
        target_type="user",
        target_id=row.user_id,
        after={"api_key": row.id, "found_at": found_at},
        reason="reported by a scanner",
        plugin="auth",
    )
    notify_owner(uow, row.user_id, "api_key_leaked", "\n".join(line for line in (row.name, found_at) if line))
    return True


def record_use(uow: UnitOfWork, key_id: str) -> None:
    """Notes a use, at most once a minute; a row that another request is noting is left to it."""
    due = (
        select(ApiKey.id)
        .where(
            ApiKey.id == key_id,
            (ApiKey.last_used_at.is_(None)) | (ApiKey.last_used_at < uow.now - USE_RECORDED_EVERY),
        )
        .with_for_update(skip_locked=True)
    )
    uow.session.execute(update(ApiKey).where(ApiKey.id.in_(due)).values(last_used_at=uow.now))
