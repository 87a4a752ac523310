"""Removes what has ended by itself: sessions, links, sign-ins that waited for a code, devices not seen for a year."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, or_

from jiki_auth.models import KnownDevice, MailToken, OtpChallenge, Session
from jiki_auth.settings import AuthSettings
from jiki_core.db import UnitOfWork

#: a device is forgotten after this long; its next sign-in is told by mail again
DEVICE_MEMORY = timedelta(days=365)


def sweep_expired(uow: UnitOfWork, settings: AuthSettings) -> int:
    """Returns how many rows went. None of them could be used any more, hence no audit entry."""
    idle_since = uow.now - timedelta(days=settings.session_ttl_days)
    ended = (
        delete(Session)
        .where(or_(Session.expires_at <= uow.now, Session.last_used_at <= idle_since))
        .returning(Session.id),
        delete(MailToken).where(MailToken.expires_at <= uow.now).returning(MailToken.token_hash),
        delete(OtpChallenge).where(OtpChallenge.expires_at <= uow.now).returning(OtpChallenge.id),
        delete(KnownDevice).where(KnownDevice.last_seen_at <= uow.now - DEVICE_MEMORY).returning(KnownDevice.user_id),
    )
    return sum(len(uow.session.execute(statement).all()) for statement in ended)
