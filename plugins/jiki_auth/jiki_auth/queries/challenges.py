"""Whose sign-in a challenge holds."""

from __future__ import annotations

import uuid

from sqlalchemy import func, select

from jiki_auth.models import OtpChallenge
from jiki_auth.secrets_at_rest import matches
from jiki_core.db import reading


def challenged_user(challenge_id: uuid.UUID, secret: str) -> int | None:
    """The user whose code is awaited; None when the time is over or the secret is wrong."""
    row = (
        reading()
        .execute(
            select(OtpChallenge.user_id, OtpChallenge.secret_hash).where(
                OtpChallenge.id == challenge_id, OtpChallenge.expires_at > func.now()
            )
        )
        .one_or_none()
    )
    return row.user_id if row is not None and matches(secret, row.secret_hash) else None
