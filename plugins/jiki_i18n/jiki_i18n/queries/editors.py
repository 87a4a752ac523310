"""Who is editing, and what they may do in which locale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select

from jiki_core.db import reading
from jiki_core.security import Identity
from jiki_i18n.errors import LocaleNotGranted
from jiki_i18n.models import TranslatorGrant
from jiki_i18n.permissions import MANAGE


@dataclass(frozen=True, slots=True)
class Editor:
    """Somebody who translates. Managers may do everything; others what they were granted, locale by locale."""

    user_id: int
    is_manager: bool = False
    #: locale → may they review?
    grants: Mapping[str, bool] = field(default_factory=dict)

    def may_write(self, locale: str) -> bool:
        return self.is_manager or locale in self.grants

    def may_review(self, locale: str) -> bool:
        return self.is_manager or self.grants.get(locale, False)

    def check_write(self, locale: str) -> None:
        """Raises LocaleNotGranted."""
        if not self.may_write(locale):
            raise LocaleNotGranted(locale=locale)

    def check_review(self, locale: str) -> None:
        """Raises LocaleNotGranted."""
        if not self.may_review(locale):
            raise LocaleNotGranted(locale=locale)


def editor_of(identity: Identity) -> Editor:
    """The editor behind an identity that has `i18n.translate`."""
    if MANAGE in identity.permissions:
        return Editor(identity.user_id, is_manager=True)
    rows = reading().execute(
        select(TranslatorGrant.locale, TranslatorGrant.may_review).where(TranslatorGrant.user_id == identity.user_id)
    )
    return Editor(identity.user_id, grants={row.locale: row.may_review for row in rows})
