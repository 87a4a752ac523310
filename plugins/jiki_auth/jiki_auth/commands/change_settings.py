"""Changes to what an account's owner may set: one function per setting (contract.md 2.5)."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import available_timezones

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from jiki_auth.addresses import handle_fault
from jiki_auth.commands.mark_mail import mark_suppressed
from jiki_auth.models import User, UserFlag
from jiki_auth.unsubscribe_links import PREFERENCES
from jiki_core.contracts import Translator, ask
from jiki_core.db import UnitOfWork
from jiki_core.errors import FieldError, NotFound, ValidationFailed
from jiki_core.mail import lift, suppress

MAXIMUM_FLAG_LENGTH = 100
#: flags the client writes are kept apart from ours
CLIENT_PREFIX = "client:"


def change_name(uow: UnitOfWork, user_id: int, name: str | None) -> None:
    """Blank means none."""
    uow.session.execute(update(User).where(User.id == user_id).values(name=(name or "").strip() or None))


def change_handle(uow: UnitOfWork, user_id: int, wanted: str) -> None:
    """Small letters, whatever is sent. Raises ValidationFailed: invalid, too_short, too_long, taken."""
    handle = wanted.strip().lower()
    if fault := handle_fault(handle):
        raise ValidationFailed({"handle": [fault]})
    try:
        with uow.session.begin_nested():  # the unique index decides between two who want it at once
            uow.session.execute(update(User).where(User.id == user_id).values(handle=handle))
    except IntegrityError:
        raise ValidationFailed({"handle": [FieldError("taken", value=wanted)]}) from None
    uow.audit("handle:changed", actor_id=user_id, target_type="user", target_id=user_id, plugin="auth")


def change_locale(uow: UnitOfWork, user_id: int, locale: str | None) -> None:
    """Any known locale, drafts included; null follows the browser again. Raises ValidationFailed: inclusion."""
    if locale is not None and locale not in ask(Translator).known_locales():
        raise ValidationFailed({"data.explicit_locale": [FieldError("inclusion", value=locale)]})
    uow.session.execute(update(User).where(User.id == user_id).values(explicit_locale=locale))


def change_timezone(uow: UnitOfWork, user_id: int, timezone: str) -> None:
    """An IANA name, e.g. "Europe/Berlin". Raises ValidationFailed: inclusion."""
    if timezone not in _timezones():
        raise ValidationFailed({"timezone": [FieldError("inclusion", value=timezone)]})
    uow.session.execute(update(User).where(User.id == user_id).values(timezone=timezone))


def change_streaks(uow: UnitOfWork, user_id: int, is_enabled: bool) -> None:
    """Whether the profile shows a streak, or the total of active days."""
    uow.session.execute(update(User).where(User.id == user_id).values(streaks_enabled=is_enabled))


def change_preferences(uow: UnitOfWork, user_id: int, wanted: dict[str, bool]) -> None:
    """Turns kinds of mail on and off. Raises NotFound for a kind there is not."""
    unknown = wanted.keys() - PREFERENCES.keys()
    if unknown:
        raise NotFound()
    if wanted:
        values = {PREFERENCES[slug]: is_wanted for slug, is_wanted in wanted.items()}
        uow.session.execute(update(User).where(User.id == user_id).values(values))


def subscribe_all(uow: UnitOfWork, user_id: int) -> None:
    """All kinds on, and an earlier complaint or keyless unsubscribe taken back."""
    change_preferences(uow, user_id, dict.fromkeys(PREFERENCES, True))
    email = uow.session.execute(
        update(User)
        .where(User.id == user_id)
        .values(email_complaint_at=None, email_complaint_type=None)
        .returning(User.email)
    ).scalar_one()
    lift(uow, email, "complaint", "unsubscribe")


def unsubscribe_all(uow: UnitOfWork, user_id: int) -> None:
    change_preferences(uow, user_id, dict.fromkeys(PREFERENCES, False))


def stop_mail(uow: UnitOfWork, email: str) -> None:
    """A one-click unsubscribe without a kind: nothing but account mail from now on."""
    suppress(uow, email, "unsubscribe", "unsubscribe_rfc_8058")
    mark_suppressed(uow, email, "unsubscribe", "unsubscribe_rfc_8058")


def raise_flag(uow: UnitOfWork, user_id: int, key: str) -> None:
    """Remembers something of the client's; again is the same. Raises ValidationFailed: too_long."""
    stored = CLIENT_PREFIX + key
    if len(stored) > MAXIMUM_FLAG_LENGTH:
        raise ValidationFailed({"key": [FieldError("too_long", count=MAXIMUM_FLAG_LENGTH)]})
    uow.session.execute(
        insert(UserFlag).values(user_id=user_id, key=stored, created_at=uow.now).on_conflict_do_nothing()
    )


@lru_cache(maxsize=1)
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())
