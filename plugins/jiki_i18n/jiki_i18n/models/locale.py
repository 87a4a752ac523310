"""How far each locale is, where it differs from its first state, and who translates into it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import Timestamp
from jiki_i18n.models.base import I18nModel


class LocaleStanding(I18nModel):
    """A locale that was promoted or demoted; one without a row has the state of `jiki_i18n.locales`."""

    __tablename__ = "locales"

    tag: Mapped[str] = mapped_column(Text, primary_key=True)
    #: `LocaleState`
    state: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[Timestamp] = mapped_column(server_default=func.now())


class TranslatorGrant(I18nModel):
    """Somebody may translate into a locale; administrators need no grant."""

    __tablename__ = "translator_grants"

    #: opaque: users belong to a plugin that i18n does not require
    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    locale: Mapped[str] = mapped_column(Text, primary_key=True)
    may_review: Mapped[bool] = mapped_column(server_default=text("false"))
    granted_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
