"""Promoting a locale: known → draft → live, and back. Going live needs enough reviewed messages."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import UnitOfWork
from jiki_core.errors import FieldError, ValidationFailed
from jiki_i18n.errors import LocaleIncomplete, LocaleNotFound
from jiki_i18n.locales import LOCALES, SOURCE_LOCALE, LocaleState
from jiki_i18n.models import LocaleStanding
from jiki_i18n.queries.locales import forget_locale_states, locale_states
from jiki_i18n.queries.statistics import locale_completeness
from jiki_i18n.settings import I18nSettings


@dataclass(frozen=True, slots=True)
class Promotion:
    """A locale's state before and after."""

    locale: str
    before: LocaleState
    after: LocaleState


def promote_locale(
    uow: UnitOfWork,
    tag: str,
    state: LocaleState,
    settings: I18nSettings,
    *,
    is_forced: bool = False,
    author_id: int | None = None,
) -> Promotion:
    """Changes the state of a locale. Raises LocaleNotFound, LocaleIncomplete (unless `is_forced`), and ValidationFailed
    for English, which is always live."""
    if tag not in LOCALES:
        raise LocaleNotFound()
    if tag == SOURCE_LOCALE:
        raise ValidationFailed({"state": [FieldError("exclusion", value=state.value)]})
    before = locale_states()[tag]
    if state is LocaleState.LIVE and before is not LocaleState.LIVE and not is_forced:
        found = locale_completeness(tag)
        if found.percent < settings.live_completeness_percent:
            raise LocaleIncomplete(
                percent=found.percent,
                required_percent=settings.live_completeness_percent,
                reviewed_count=found.reviewed_count,
                total_count=found.total_count,
            )
    uow.session.execute(
        insert(LocaleStanding)
        .values(tag=tag, state=state.value, changed_at=uow.now)
        .on_conflict_do_update(index_elements=[LocaleStanding.tag], set_={"state": state.value, "changed_at": uow.now})
    )
    uow.after_commit(forget_locale_states)
    uow.audit(
        "locale:promoted",
        actor_id=author_id,
        target_type="locale",
        target_id=tag,
        before={"state": before.value},
        after={"state": state.value, "is_forced": is_forced},
        plugin="i18n",
    )
    return Promotion(tag, before, state)
