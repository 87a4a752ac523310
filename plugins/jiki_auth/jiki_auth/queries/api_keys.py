"""API keys: what authentication needs of one, and what its owner sees of theirs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from jiki_auth.models import ApiKey
from jiki_auth.queries.sessions import roles_of
from jiki_core.db import reading


@dataclass(frozen=True, slots=True)
class ApiKeyFacts:
    user_id: int
    scopes: frozenset[str]
    secret_hash: bytes
    previous_hash: bytes | None
    previous_until: datetime | None
    expires_at: datetime | None
    last_used_at: datetime | None
    roles: frozenset[str]


def api_key_facts(key_id: str) -> ApiKeyFacts | None:
    """One statement: the key and its owner's roles."""
    row = (
        reading()
        .execute(
            select(
                ApiKey.user_id,
                ApiKey.scopes,
                ApiKey.secret_hash,
                ApiKey.previous_hash,
                ApiKey.previous_until,
                ApiKey.expires_at,
                ApiKey.last_used_at,
                roles_of(ApiKey.user_id).label("roles"),
            ).where(ApiKey.id == key_id)
        )
        .one_or_none()
    )
    if row is None:
        return None
    return ApiKeyFacts(
        user_id=row.user_id,
        scopes=frozenset(row.scopes),
        secret_hash=row.secret_hash,
        previous_hash=row.previous_hash,
        previous_until=row.previous_until,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        roles=frozenset(row.roles or ()),
    )


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key without its secret."""

    id: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


def api_keys_of(user_id: int) -> list[ListedKey]:
    """Newest first."""
    rows = reading().execute(
        select(ApiKey.id, ApiKey.name, ApiKey.scopes, ApiKey.created_at, ApiKey.expires_at, ApiKey.last_used_at)
        .where(ApiKey.user_id == user_id)
        .order_by(ApiKey.created_at.desc(), ApiKey.id)
    )
    return [ListedKey(*row) for row in rows]
