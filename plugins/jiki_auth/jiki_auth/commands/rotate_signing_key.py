"""Makes a new key for access tokens; it signs once every process has seen it, older ones verify until their tokens die."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import delete, insert, select

from jiki_auth.keyring import keyring, new_key_material, seal_key
from jiki_auth.models import SigningKey
from jiki_auth.settings import AuthSettings
from jiki_core.db import UnitOfWork

#: a key that was replaced this long ago has no living token under any setting
KEPT_FOR = timedelta(days=30)


def rotate_signing_key(uow: UnitOfWork, settings: AuthSettings) -> str:
    """Returns the new key's id."""
    key_id = f"key-{uow.now:%Y%m%d}-{secrets.token_hex(4)}"
    sealed = seal_key(new_key_material(settings.access_token_algorithm), key_id, settings.sealing_keys())
    uow.session.execute(
        delete(SigningKey).where(SigningKey.created_at < uow.now - KEPT_FOR, SigningKey.id != _newest(uow))
    )
    uow.session.execute(
        insert(SigningKey).values(
            id=key_id, algorithm=settings.access_token_algorithm, key_sealed=sealed, created_at=uow.now
        )
    )
    uow.audit("signing_key:rotated", target_type="signing_key", target_id=key_id, plugin="auth")
    uow.after_commit(keyring().forget)
    return key_id


def _newest(uow: UnitOfWork) -> str:
    """The key that signs now; empty before the first rotation."""
    query = select(SigningKey.id).order_by(SigningKey.created_at.desc()).limit(1)
    return uow.session.execute(query).scalar_one_or_none() or ""
