"""How an account's second factor stands."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from jiki_auth.commands.sign_in import PRIVILEGED
from jiki_auth.models import RecoveryCode, User
from jiki_core.db import reading
from jiki_core.security import Identity


def two_factor_shape(identity: Identity) -> dict[str, Any]:
    """Members of `two_factor`."""
    left = (
        select(func.count())
        .where(RecoveryCode.user_id == User.id, RecoveryCode.used_at.is_(None))
        .correlate(User)
        .scalar_subquery()
    )
    enabled_at, codes = reading().execute(select(User.otp_enabled_at, left).where(User.id == identity.user_id)).one()
    return {
        "enabled": enabled_at is not None,
        "compulsory": PRIVILEGED in identity.permissions,
        "recovery_codes_left": codes,
    }
