"""Sign-in: checks a password, asks for the second factor where there is one, opens sessions (contract.md 3.2, 3.3)."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from jiki_auth.addresses import normalise_email
from jiki_auth.commands.mail_user import notify_owner
from jiki_auth.errors import InvalidCredentials, Unconfirmed
from jiki_auth.metrics import count_attempt
from jiki_auth.models import KnownDevice, MailPurpose, MailToken, OtpChallenge, Session, SessionKind, User
from jiki_auth.passwords import hash_password, needs_rehash, verify_password
from jiki_auth.queries.sessions import roles_of
from jiki_auth.secrets_at_rest import new_secret, secret_hash
from jiki_auth.settings import AuthSettings
from jiki_auth.throttles import sign_in_attempt
from jiki_auth.totp import new_seed, provisioning_uri
from jiki_core.configuration import derived_key
from jiki_core.db import UnitOfWork, reading, record_refusal, uuid7
from jiki_core.errors import Unavailable
from jiki_core.runtime import runtime
from jiki_core.security.permissions import permissions_of

FirstFactor = Literal["password", "google", "confirmation"]
#: how long a right password waits for its code
CHALLENGE_TTL = timedelta(minutes=5)
#: whoever has it needs a second factor
PRIVILEGED = "core.administer"


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

    @property
    def fingerprint(self) -> bytes:
        """Tells a browser on a network from another one, without keeping either."""
        key = derived_key(runtime().settings, "known-devices")
        return hmac.digest(key, f"{self.network}\n{self.user_agent}".encode(), hashlib.sha256)


@dataclass(frozen=True)
class OpenedSession:
    """A new session and the secret that its carrier holds; the secret is not kept."""

    id: uuid.UUID
    user_id: int
    secret: str


@dataclass(frozen=True)
class AwaitedCode:
    """A right first factor: nobody is signed in before the code. With a URI, the authenticator app is set up first."""

    id: uuid.UUID
    user_id: int
    secret: str
    provisioning_uri: str | None


@dataclass(frozen=True)
class CheckedPassword:
    """Whose password was right, and the stored hash's replacement when it was made with old parameters."""

    user_id: int
    renewed_hash: str | None


def check_password(email: str, password: str, settings: AuthSettings) -> CheckedPassword:
    """Outside a unit of work, so that no transaction is open while the hash is computed.

    Raises InvalidCredentials, Unconfirmed, TooManyAttempts whatever the password, and Unavailable when too many wait.
    """
    address = normalise_email(email)
    attempt = sign_in_attempt(address)
    user = (
        reading()
        .execute(select(User.id, User.email, User.password_hash, User.confirmed_at).where(User.email == address))
        .one_or_none()
    )
    try:
        is_right = verify_password(password, user.password_hash if user else None, settings)
    except Unavailable:
        attempt.give_back()
        raise
    if not is_right or user is None:
        count_attempt("password", "wrong")
        record_refusal(
            "session:refused", target_type="user", target_id=user.id if user else None, reason="password", plugin="auth"
        )
        raise InvalidCredentials()
    attempt.give_back()
    count_attempt("password", "accepted" if user.confirmed_at else "unconfirmed")
    if user.confirmed_at is None:
        raise Unconfirmed(email=user.email)
    return CheckedPassword(
        user.id, hash_password(password, settings) if needs_rehash(user.password_hash, settings) else None
    )


def renew_hash(uow: UnitOfWork, checked: CheckedPassword) -> None:
    """Stores a hash of today's parameters, now that the password is known."""
    if checked.renewed_hash is not None:
        uow.session.execute(update(User).where(User.id == checked.user_id).values(password_hash=checked.renewed_hash))


def finish_first_factor(
    uow: UnitOfWork, user_id: int, method: FirstFactor, visitor: Visitor, settings: AuthSettings
) -> OpenedSession | AwaitedCode:
    """Opens a session, or a challenge for accounts with a second factor; for admins it is compulsory."""
    facts = second_factor(uow, user_id)
    if not (facts.is_enabled or facts.is_compulsory):
        return open_session(uow, user_id, SessionKind.COOKIE, visitor, settings, method=method)
    uri = None if facts.is_enabled else _setup_uri(uow, user_id, settings)
    awaited = AwaitedCode(uuid7(), user_id, new_secret(), uri)
    uow.session.execute(delete(OtpChallenge).where(OtpChallenge.user_id == user_id, OtpChallenge.expires_at < uow.now))
    uow.session.execute(
        insert(OtpChallenge).values(
            id=awaited.id,
            user_id=user_id,
            secret_hash=secret_hash(awaited.secret),
            sign_in_method=method,
            expires_at=uow.now + CHALLENGE_TTL,
        )
    )
    uow.audit(
        "second_factor:asked", actor_id=user_id, target_type="user", target_id=user_id, reason=method, plugin="auth"
    )
    return awaited


@dataclass(frozen=True)
class SecondFactor:
    """Whether an account's second factor is set up, and whether it must be."""

    is_enabled: bool
    is_compulsory: bool


def second_factor(uow: UnitOfWork, user_id: int) -> SecondFactor:
    enabled_at, roles = uow.session.execute(
        select(User.otp_enabled_at, roles_of(User.id)).where(User.id == user_id)
    ).one()
    permissions = permissions_of(frozenset(roles or ()), dict(runtime().permissions))
    return SecondFactor(enabled_at is not None, PRIVILEGED in permissions)


def open_session(
    uow: UnitOfWork,
    user_id: int,
    kind: SessionKind,
    visitor: Visitor,
    settings: AuthSettings,
    *,
    method: str = "password",
) -> OpenedSession:
    """Writes the row; the secret goes to the carrier only. Reset links die; a new device is told by mail."""
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
            authenticated_at=uow.now,
            refreshed_at=uow.now,
            expires_at=uow.now + timedelta(days=settings.session_absolute_days),
        )
    )
    uow.session.execute(
        delete(MailToken).where(MailToken.user_id == user_id, MailToken.purpose == MailPurpose.PASSWORD_RESET)
    )
    uow.audit(
        "session:started",
        actor_id=user_id,
        target_type="session",
        target_id=opened.id,
        reason=method,
        plugin="auth",
    )
    _recognise(uow, user_id, visitor)
    return opened


def _recognise(uow: UnitOfWork, user_id: int, visitor: Visitor) -> None:
    known = set(uow.session.execute(select(KnownDevice.fingerprint).where(KnownDevice.user_id == user_id)).scalars())
    row = {"user_id": user_id, "fingerprint": visitor.fingerprint, "last_seen_at": uow.now}
    uow.session.execute(
        upsert(KnownDevice)
        .values(row)
        .on_conflict_do_update(index_elements=["user_id", "fingerprint"], set_={"last_seen_at": uow.now})
    )
    if known and visitor.fingerprint not in known:
        uow.audit("session:new_device", actor_id=user_id, target_type="user", target_id=user_id, plugin="auth")
        notify_owner(uow, user_id, "new_sign_in", _described(visitor, uow.now))


def _described(visitor: Visitor, now: datetime) -> str:
    agent = visitor.user_agent[:120] or "an unknown program"
    return f"{now:%Y-%m-%d %H:%M} UTC, {agent}, network {visitor.network or 'unknown'}"


def _setup_uri(uow: UnitOfWork, user_id: int, settings: AuthSettings) -> str:
    """The same seed at each sign-in until it is enabled."""
    user = uow.session.execute(
        select(User.email, User.otp_seed_sealed).where(User.id == user_id).with_for_update()
    ).one()
    keys = settings.sealing_keys()
    if user.otp_seed_sealed is not None:
        return provisioning_uri(keys.open(user.otp_seed_sealed, bound_to=seed_binding(user_id)), user.email)
    seed = new_seed()
    uow.session.execute(
        update(User)
        .where(User.id == user_id)
        .values(otp_seed_sealed=keys.seal(seed, bound_to=seed_binding(user_id)), otp_last_step=None)
    )
    return provisioning_uri(seed, user.email)


def seed_binding(user_id: int) -> str:
    """What a sealed seed is bound to: moved to another row it does not open."""
    return f"totp:{user_id}"
