"""What an operator may set for i18n: `[i18n]` in jiki.toml, `JIKI_I18N_…` in the environment."""

from __future__ import annotations

from dataclasses import dataclass

from jiki_core.settings import Secret, setting


@dataclass(frozen=True)
class I18nSettings:
    catalogue_max_age_seconds: int = setting(
        60, help="How long caches keep what external/i18n/{locale}/{namespace} says", minimum=0
    )
    catalogue_stale_seconds: int = setting(
        86_400, help="How long caches may go on with it while they ask again", minimum=0
    )
    publishes_unreviewed: bool = setting(
        False, help="Publications take drafts, machine translations and stale texts too, unless asked otherwise"
    )
    live_completeness_percent: int = setting(
        95, help="Share of reviewed messages that a locale needs to go live", minimum=0, maximum=100
    )
    locale_states_ttl_seconds: int = setting(10, help="How long a process relies on the locales it knows", minimum=0)
    publications_kept: int = setting(20, help="Publications whose files garbage collection leaves", minimum=1)
    build_timeout_minutes: int = setting(60, help="After this time an unfinished publication has failed", minimum=1)
    engine_url: str = setting(
        "", help="Machine translation service; empty = texts are only copied", example="https://translate.internal/v1"
    )
    engine_key: Secret = setting(Secret(""), help="Sent to it as a bearer token")
    engine_timeout_seconds: int = setting(30, help="How long one call to it may take", minimum=1, maximum=300)
