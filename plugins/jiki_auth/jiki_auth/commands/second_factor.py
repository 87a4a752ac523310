"""The second factor: checks a code or a recovery code, sets authenticator apps up and takes them off (contract.md 3.3)."""

from __future__ import annotations

import uuid

from sqlalchemy import delete, insert, select, update

from jiki_auth import recovery_codes, totp
from jiki_auth.commands.mail_user import notify_owner
from jiki_auth.commands.sign_in import OpenedSession, Visitor, open_session, seed_binding
from jiki_auth.errors import InvalidOtp, RecoveryCodeUsed, SecondFactorNotSetUp, SessionExpired
from jiki_auth.models import OtpChallenge, RecoveryCode, SessionKind, User
from jiki_auth.secrets_at_rest import matches, secret_hash
from jiki_auth.settings import AuthSettings
from jiki_core.db import UnitOfWork


def answer_challenge(
    uow: UnitOfWork, challenge_id: uuid.UUID, code: str, visitor: Visitor, settings: AuthSettings
) -> OpenedSession:
    """Signs in with the code of a challenge; the first right one also enables an app that is being set up.

    Whoever calls has checked the challenge's secret. Raises SessionExpired, InvalidOtp.
    """
    challenge = uow.session.execute(
        delete(OtpChallenge)
        .where(OtpChallenge.id == challenge_id, OtpChallenge.expires_at > uow.now)
        .returning(OtpChallenge.user_id, OtpChallenge.sign_in_method)
    ).one_or_none()
    if challenge is None:
        raise SessionExpired()
    use_code(uow, challenge.user_id, code, settings)
    _enable(uow, challenge.user_id)
    method = f"{challenge.sign_in_method}+otp"
    return open_session(uow, challenge.user_id, SessionKind.COOKIE, visitor, settings, method=method)


def check_second_factor(uow: UnitOfWork, user_id: int, code: str | None, settings: AuthSettings) -> None:
    """For sign-ins in one step: takes a code of the app or a recovery code. Raises SecondFactorNotSetUp, InvalidOtp."""
    is_enabled = uow.session.execute(select(User.otp_enabled_at).where(User.id == user_id)).scalar_one()
    if is_enabled is None:
        raise SecondFactorNotSetUp(reason="2fa_setup_required")
    use_code(uow, user_id, code or "", settings, may_recover=True)


def use_code(uow: UnitOfWork, user_id: int, code: str, settings: AuthSettings, *, may_recover: bool = False) -> None:
    """Accepts a code and burns its step. The user's row is locked, so that two requests cannot use one code."""
    parts = recovery_codes.parse(code) if may_recover else None
    if parts is not None:
        return _use_recovery_code(uow, user_id, parts)
    row = uow.session.execute(
        select(User.otp_seed_sealed, User.otp_last_step).where(User.id == user_id).with_for_update()
    ).one()
    if row.otp_seed_sealed is None:
        raise InvalidOtp()
    seed = settings.sealing_keys().open(row.otp_seed_sealed, bound_to=seed_binding(user_id))
    try:
        step = totp.accepted_step(seed, code, now=uow.now.timestamp(), last_step=row.otp_last_step)
    except totp.ClockOutOfSync:
        raise InvalidOtp(reason="out_of_sync") from None
    if step is None:
        raise InvalidOtp()
    uow.session.execute(update(User).where(User.id == user_id).values(otp_last_step=step))


def begin_setup(uow: UnitOfWork, user_id: int, settings: AuthSettings) -> tuple[str, str]:
    """A new seed for an account without an app: (provisioning URI, seed in base 32). It counts after `confirm_setup`."""
    seed = totp.new_seed()
    email = uow.session.execute(
        update(User)
        .where(User.id == user_id, User.otp_enabled_at.is_(None))
        .values(otp_seed_sealed=settings.sealing_keys().seal(seed, bound_to=seed_binding(user_id)), otp_last_step=None)
        .returning(User.email)
    ).scalar_one_or_none()
    if email is None:
        raise InvalidOtp(reason="already_enabled")
    return totp.provisioning_uri(seed, email), totp.base32(seed)


def confirm_setup(uow: UnitOfWork, user_id: int, code: str, settings: AuthSettings) -> list[str]:
    """Enables the app with a first valid code; returns the recovery codes, which are shown once."""
    use_code(uow, user_id, code, settings)
    _enable(uow, user_id)
    return _replace_codes(uow, user_id)


def disable(uow: UnitOfWork, user_id: int, *, actor_id: int | None = None) -> None:
    """Forgets the app and the recovery codes. Admins set it up again at their next sign-in."""
    uow.session.execute(
        update(User).where(User.id == user_id).values(otp_seed_sealed=None, otp_enabled_at=None, otp_last_step=None)
    )
    uow.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    uow.audit(
        "second_factor:disabled", actor_id=actor_id or user_id, target_type="user", target_id=user_id, plugin="auth"
    )
    notify_owner(uow, user_id, "two_factor_disabled")


def renew_recovery_codes(uow: UnitOfWork, user_id: int) -> list[str]:
    """Ten new codes; the old ones die and the owner is told."""
    notify_owner(uow, user_id, "recovery_codes_renewed")
    return _replace_codes(uow, user_id)


def _replace_codes(uow: UnitOfWork, user_id: int) -> list[str]:
    codes = [recovery_codes.new_code() for _ in range(recovery_codes.CODES)]
    uow.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    uow.session.execute(
        insert(RecoveryCode),
        [{"selector": one.selector, "user_id": user_id, "secret_hash": secret_hash(one.secret)} for one in codes],
    )
    uow.audit("recovery_codes:renewed", actor_id=user_id, target_type="user", target_id=user_id, plugin="auth")
    return [one.text for one in codes]


def _enable(uow: UnitOfWork, user_id: int) -> None:
    is_first = uow.session.execute(
        update(User)
        .where(User.id == user_id, User.otp_enabled_at.is_(None))
        .values(otp_enabled_at=uow.now)
        .returning(User.id)
    ).scalar_one_or_none()
    if is_first is not None:
        uow.audit("second_factor:enabled", actor_id=user_id, target_type="user", target_id=user_id, plugin="auth")
        notify_owner(uow, user_id, "two_factor_enabled")


def _use_recovery_code(uow: UnitOfWork, user_id: int, parts: recovery_codes.RecoveryCodeParts) -> None:
    row = uow.session.execute(
        select(RecoveryCode)
        .where(RecoveryCode.selector == parts.selector, RecoveryCode.user_id == user_id)
        .with_for_update()
    ).scalar_one_or_none()
    if row is None or not matches(parts.secret, row.secret_hash):
        raise InvalidOtp()
    if row.used_at is not None:
        raise RecoveryCodeUsed()
    row.used_at = uow.now
    uow.audit("recovery_code:used", actor_id=user_id, target_type="user", target_id=user_id, plugin="auth")
    notify_owner(uow, user_id, "recovery_code_used")
