"""Jobs of auth. They import commands when they run: commands ask for jobs, so the modules would import each other."""

from __future__ import annotations

from sqlalchemy import select

from jiki_auth.errors import AvatarTooLarge, InvalidAvatar
from jiki_auth.models import User
from jiki_auth.outbound import OutsideRefused, fetch, is_allowed_origin
from jiki_auth.settings import auth_settings
from jiki_auth.throttles import may_mail_confirmation, may_mail_reset
from jiki_core.contracts import AccountSetup, ask_all
from jiki_core.db import UnitOfWork, reading
from jiki_core.jobs import JobRun
from jiki_core.storage import discard, store


class AccountNotPrepared(Exception):
    """A plugin could not set an account up; the job is tried again."""


def prepare_account(uow: UnitOfWork, user_id: int) -> None:
    """Repeats what other plugins could not do at sign-up; each of their parts is idempotent."""
    if uow.session.get(User, user_id) is None:
        return  # deleted meanwhile
    if not all(ask_all(AccountSetup, lambda one: one.prepare(uow, user_id))):
        raise AccountNotPrepared(f"user {user_id}")


def answer_reset_request(uow: UnitOfWork, email: str) -> None:
    """Mails a reset link, if there is such an account. A job, so that the request takes as long for any address."""
    from jiki_auth.commands.reset_password import mail_reset_link

    user_id = uow.session.execute(select(User.id).where(User.email == email)).scalar_one_or_none()
    if user_id is not None and may_mail_reset(email):
        mail_reset_link(uow, user_id, auth_settings())
        uow.audit("password:reset_requested", target_type="user", target_id=user_id, plugin="auth")


def answer_confirmation_request(uow: UnitOfWork, email: str) -> None:
    """Mails a confirmation link, if one is waited for; a job for the same reason."""
    from jiki_auth.commands.send_confirmation import resend_confirmation

    if may_mail_confirmation(email):
        resend_confirmation(uow, email, auth_settings())


def confirm_sns_subscription(run: JobRun, url: str) -> None:
    """Follows the link that makes SNS deliver to us; its host was checked with the notice's signature."""
    fetch(url, ca_file=auth_settings().sns_ca_file)


def copy_google_avatar(run: JobRun, user_id: int, url: str) -> None:
    """Gives an account without an avatar the picture of its Google account; a picture that will not do is left out."""
    from jiki_auth.avatars import reencode
    from jiki_auth.commands.change_avatar import set_first_avatar

    has_none = select(User.id).where(User.id == user_id, User.avatar_url.is_(None))
    if reading().execute(has_none).scalar_one_or_none() is None:
        return
    if not is_allowed_origin(url, auth_settings().google_picture_origins):
        return
    try:
        drawn = reencode(fetch(url))
    except (OutsideRefused, InvalidAvatar, AvatarTooLarge):
        return
    staged = store("auth.avatar", drawn, filename="avatar.webp", user_id=user_id)
    with run.unit_of_work() as uow:
        is_set = set_first_avatar(uow, user_id, staged)
    if not is_set:
        discard(staged)


def sweep(uow: UnitOfWork) -> int:
    """Removes what has ended by itself; runs each night."""
    from jiki_auth.commands.sweep_expired import sweep_expired

    return sweep_expired(uow, auth_settings())
