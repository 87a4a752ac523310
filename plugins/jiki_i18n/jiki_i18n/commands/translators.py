"""Who may translate into which locale."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import UnitOfWork
from jiki_i18n.errors import TranslatorNotFound
from jiki_i18n.models import TranslatorGrant
from jiki_i18n.queries.locales import known_locale


def grant_locale(uow: UnitOfWork, user_id: int, locale: str, *, may_review: bool, author_id: int) -> None:
    """Lets a user translate into a locale, and review others' work in it or not. Raises LocaleNotFound.

    The user also needs the role translator, which is given where roles are.
    """
    uow.session.execute(
        insert(TranslatorGrant)
        .values(user_id=user_id, locale=known_locale(locale), may_review=may_review, granted_at=uow.now)
        .on_conflict_do_update(
            index_elements=[TranslatorGrant.user_id, TranslatorGrant.locale], set_={"may_review": may_review}
        )
    )
    _audit(uow, "translator:granted", user_id, author_id, {"locale": locale, "may_review": may_review})


def revoke_locale(uow: UnitOfWork, user_id: int, locale: str, *, author_id: int) -> None:
    """Takes a locale from a user. Raises TranslatorNotFound."""
    gone = uow.session.execute(
        delete(TranslatorGrant)
        .where(TranslatorGrant.user_id == user_id, TranslatorGrant.locale == locale)
        .returning(TranslatorGrant.user_id)
    ).scalar_one_or_none()
    if gone is None:
        raise TranslatorNotFound()
    _audit(uow, "translator:revoked", user_id, author_id, {"locale": locale})


def _audit(uow: UnitOfWork, action: str, user_id: int, author_id: int, facts: dict[str, object]) -> None:
    uow.audit(action, actor_id=author_id, target_type="user", target_id=user_id, after=facts, plugin="i18n")
