"""Creates an account for somebody: `flask auth create-user` and the seeds. Checks a password's length only."""

from __future__ import annotations

from sqlalchemy import insert, select

from jiki_auth.addresses import handle_fault, is_email, normalise_email
from jiki_auth.commands.confirm_address import confirm_user
from jiki_auth.commands.send_confirmation import send_confirmation
from jiki_auth.commands.sign_up import NewAccount, insert_user, prepare
from jiki_auth.events import UserSignedUp
from jiki_auth.models import User, UserRole
from jiki_auth.passwords import hash_password, length_fault
from jiki_auth.permissions import ADMIN
from jiki_auth.settings import AuthSettings
from jiki_core.db import UnitOfWork
from jiki_core.errors import FieldError, ValidationFailed


def create_user(
    uow: UnitOfWork,
    email: str,
    password: str,
    *,
    settings: AuthSettings,
    is_confirmed: bool = False,
    is_admin: bool = False,
    handle: str | None = None,
) -> int:
    """Returns the user's id. Raises ValidationFailed for a bad or taken address or handle, or a bad password length."""
    address = normalise_email(email)
    faults: dict[str, list[FieldError]] = {}
    if not is_email(address):
        faults["email"] = [FieldError("invalid")]
    elif uow.session.execute(select(User.id).where(User.email == address)).first() is not None:
        faults["email"] = [FieldError("taken")]
    if handle is not None and (fault := handle_fault(handle)):
        faults["handle"] = [fault]
    if length := length_fault(password):
        faults["password"] = [length]
    if faults:
        raise ValidationFailed(faults)
    user_id = insert_user(
        uow, address, hash_password(password, settings), NewAccount(email=address, password=password, handle=handle)
    )
    if is_admin:
        uow.session.execute(insert(UserRole).values(user_id=user_id, role=ADMIN, granted_at=uow.now))
    uow.emit(UserSignedUp(user_id, "operator"))
    uow.audit("account:created", target_type="user", target_id=user_id, reason="created by an operator", plugin="auth")
    if is_confirmed:
        confirm_user(uow, user_id)
    else:
        send_confirmation(uow, user_id, settings)
    prepare(uow, user_id)
    return user_id
