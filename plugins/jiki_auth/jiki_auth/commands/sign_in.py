"""Sign-in and sign-out: checks a password, opens and ends sessions (contract.md 3.2)."""

from __future__ import annotations

import ipaddress
import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, exists, insert, select, update

from jiki_auth.addresses import normalise_email
from jiki_auth.errors import InvalidCredentials, Unconfirmed
from jiki_auth.models import Session, SessionKind, User, UserRole
from jiki_auth.passwords import hash_password, needs_rehash, verify_password
from jiki_auth.permissions import ADMIN
from jiki_auth.secrets_at_rest import new_secret, secret_hash
from jiki_auth.settings import AuthSettings
from jiki_core.db import UnitOfWork, reading, uuid7
from jiki_core.errors import Forbidden


@dataclass(frozen=True)
class Visitor:
    """What is kept of where a sign-in came from."""

    address: str = ""
    user_agent: str = ""

    @property
    def network(self) -> str:
        """/24 of an IPv4, /48 of an IPv6 address."""
        try:
            parsed = ipaddress.ip_address(self.address)
        except ValueError:
            return ""
        prefix = 24 if parsed.version == 4 else 48
        return str(ipaddress.ip_network(f"{parsed}/{prefix}", strict=False))


@dataclass(frozen=True)
class OpenedSession:
    """A new session and the secret that its carrier holds; the secret is not kept."""

    id: uuid.UUID
    user_id: int
    secret: str


@dataclass(frozen=True)
class CheckedPassword:
    """Whose password was right, and the stored hash's replacement when it was made with old parameters."""

    user_id: int
    renewed_hash: str | None


def check_password(email: str, password: str, settings: AuthSettings) -> CheckedPassword:
    """Reads only, so that no transaction is open while the hash is computed.

    Raises InvalidCredentials, Unconfirmed, and Forbidden for admins, who need the second factor.
    """
    address = normalise_email(email)
    is_admin = exists().where(UserRole.user_id == User.id, UserRole.role == ADMIN)
    user = (
        reading()
        .execute(
            select(User.id, User.email, User.password_hash, User.confirmed_at, is_admin.label("is_admin")).where(
                User.email == address
            )
        )
        .one_or_none()
    )
    if not verify_password(password, user.password_hash if user else None, settings) or user is None:
        raise InvalidCredentials()
    if user.confirmed_at is None:
        raise Unconfirmed(email=user.email)
    if user.is_admin:
        raise Forbidden()
    return CheckedPassword(
        user.id, hash_password(password, settings) if needs_rehash(user.password_hash, settings) else None
    )


def sign_in(
    uow: UnitOfWork, checked: CheckedPassword, kind: SessionKind, visitor: Visitor, settings: AuthSettings
) -> OpenedSession:
    """Opens a session for somebody whose password was checked."""
    if checked.renewed_hash is not None:
        uow.session.execute(update(User).where(User.id == checked.user_id).values(password_hash=checked.renewed_hash))
    return open_session(uow, checked.user_id, kind, visitor, settings)


def open_session(
    uow: UnitOfWork, user_id: int, kind: SessionKind, visitor: Visitor, settings: AuthSettings
) -> OpenedSession:
    """Writes the row; the secret goes to the carrier only."""
    opened = OpenedSession(uuid7(), user_id, new_secret())
    uow.session.execute(
        insert(Session).values(
            id=opened.id,
            user_id=user_id,
            kind=kind,
            secret_hash=secret_hash(opened.secret),
            user_agent=visitor.user_agent[:300],
            network=visitor.network,
            created_at=uow.now,
            last_used_at=uow.now,
            refreshed_at=uow.now,
            expires_at=uow.now + timedelta(days=settings.session_absolute_days),
        )
    )
    uow.audit("session:started", actor_id=user_id, target_type="session", target_id=opened.id, plugin="auth")
    return opened


def sign_out(uow: UnitOfWork, session_id: uuid.UUID) -> None:
    """Ends a session: its cookie, tokens and sockets. Ending one that is gone is no error."""
    user_id = uow.session.execute(
        delete(Session).where(Session.id == session_id).returning(Session.user_id)
    ).scalar_one_or_none()
    if user_id is not None:
        uow.audit("session:ended", actor_id=user_id, target_type="session", target_id=session_id, plugin="auth")
        uow.disconnect(user_id, session_id=str(session_id))


def touch_session(uow: UnitOfWork, session_id: uuid.UUID) -> None:
    """Renews the sliding end; called at most once an hour."""
    uow.session.execute(update(Session).where(Session.id == session_id).values(last_used_at=uow.now))
