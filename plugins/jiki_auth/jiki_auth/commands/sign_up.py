"""Sign-up: creates an unconfirmed account, or tells the owner of a taken address (contract.md 3.1 and section 1)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from jiki_auth.addresses import handle_fault, handle_from_email, handle_variant, is_email, normalise_email
from jiki_auth.commands.mail_user import mail_user
from jiki_auth.commands.send_confirmation import send_confirmation
from jiki_auth.events import UserSignedUp
from jiki_auth.jobs import prepare_account
from jiki_auth.models import User
from jiki_auth.passwords import password_faults
from jiki_auth.settings import AuthSettings
from jiki_core.contracts import AccountSetup, Translator, ask, ask_all
from jiki_core.db import UnitOfWork
from jiki_core.errors import FieldError, ValidationFailed

HANDLE_TRIES = 100


@dataclass(frozen=True)
class NewAccount:
    """What a visitor asks for, with what the request told of them."""

    email: str
    password: str
    password_confirmation: str | None = None
    name: str | None = None
    handle: str | None = None
    locale: str | None = None
    language_tags: tuple[str, ...] = ()
    country_code: str | None = None
    attribution: dict[str, Any] | None = None
    google_id: str | None = None


@dataclass(frozen=True)
class SignedUp:
    """What the visitor is told; the same whether the address was free or taken."""

    email: str


def sign_up(uow: UnitOfWork, wanted: NewAccount, password_hash: str, settings: AuthSettings) -> SignedUp:
    """Raises ValidationFailed for bad fields and a taken handle; a taken address is not told.

    The password is hashed before the unit is opened, taken address or not.
    """
    email = normalise_email(wanted.email)
    _check(uow, wanted, email)
    owner_id = _owner(uow, email)
    if owner_id is None:
        try:
            with uow.session.begin_nested():
                send_confirmation(uow, _create(uow, email, password_hash, wanted), settings)
            return SignedUp(email)
        except IntegrityError:  # somebody was faster with the same address
            owner_id = _owner(uow, email)
    else:
        _rehearse(uow, password_hash, wanted)
    if owner_id is not None:
        mail_user(uow, owner_id, "auth.already_registered")
    return SignedUp(email)


def _owner(uow: UnitOfWork, email: str) -> int | None:
    return uow.session.execute(select(User.id).where(User.email == email)).scalar_one_or_none()


def _create(uow: UnitOfWork, email: str, password_hash: str, wanted: NewAccount) -> int:
    user_id = insert_user(uow, email, password_hash, wanted)
    uow.audit("account:created", actor_id=user_id, target_type="user", target_id=user_id, plugin="auth")
    uow.emit(UserSignedUp(user_id, "email"))
    prepare(uow, user_id)
    return user_id


def _rehearse(uow: UnitOfWork, password_hash: str, wanted: NewAccount) -> None:
    """The work of a new account, done and undone, so that a taken address takes as long to answer as a free one."""
    with uow.session.begin_nested() as savepoint:
        _create(uow, f"{secrets.token_hex(8)}@rehearsal.invalid", password_hash, wanted)
        savepoint.rollback()


def insert_user(uow: UnitOfWork, email: str, password_hash: str | None, wanted: NewAccount) -> int:
    """Inserts a row with a free handle; returns the user's id."""
    handle = wanted.handle or handle_from_email(email)
    for _ in range(HANDLE_TRIES):
        user_id = uow.session.execute(
            insert(User)
            .values(
                handle=handle,
                email=email,
                name=wanted.name,
                password_hash=password_hash,
                explicit_locale=served_locale(wanted.locale),
                language_tags=list(wanted.language_tags),
                country_code=wanted.country_code,
                signup_attribution=wanted.attribution,
                google_id=wanted.google_id,
                created_at=uow.now,
            )
            .on_conflict_do_nothing(index_elements=[User.handle])
            .returning(User.id)
        ).scalar_one_or_none()
        if user_id is not None:
            return user_id
        if wanted.handle is not None:
            break
        handle = handle_variant(handle_from_email(email))
    raise ValidationFailed({"handle": [FieldError("taken")]})


def served_locale(wanted: str | None) -> str | None:
    """A locale that is served; others are dropped silently (contract.md 3.1)."""
    return wanted if wanted and ask(Translator).resolve_locale(wanted, ()) == wanted else None


def prepare(uow: UnitOfWork, user_id: int) -> None:
    """Lets other plugins set the account up; what fails is repeated as a job."""
    if not all(ask_all(AccountSetup, lambda one: one.prepare(uow, user_id))):
        uow.enqueue(prepare_account, user_id=user_id)


def _check(uow: UnitOfWork, wanted: NewAccount, email: str) -> None:
    faults = password_faults(wanted.password, wanted.password_confirmation, email)
    if not is_email(email):
        faults["email"] = [FieldError("invalid")]
    if wanted.handle is not None:
        if fault := handle_fault(wanted.handle):
            faults["handle"] = [fault]
        elif uow.session.execute(select(func.count()).where(User.handle == wanted.handle)).scalar_one():
            faults["handle"] = [FieldError("taken")]
    if faults:
        raise ValidationFailed(faults)
