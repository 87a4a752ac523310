"""What an operator may set for payments: `[payments]` in jiki.toml, `JIKI_PAYMENTS_…` in the environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from jiki_core.configuration import origin_of
from jiki_core.runtime import runtime
from jiki_core.settings import Mistake, Secret, setting

STRIPE_API = "https://api.stripe.com"
#: formats of network reputation services that we speak (network_reputation.py)
REPUTATION_FORMATS = ("proxycheck", "ipqualityscore")


@dataclass(frozen=True)
class PaymentsSettings:
    stripe_secret_key: Secret = setting(
        Secret(""),
        env="STRIPE_SECRET_KEY",
        help="Key of the Stripe account; empty turns checkout off",
        example="sk_live_…",
    )
    stripe_webhook_secret: Secret = setting(
        Secret(""),
        env="STRIPE_WEBHOOK_SECRET",
        help="Signing secret of the webhook endpoint; while it is rotated both, a blank between them",
        example="whsec_…",
    )
    stripe_api_base: str = setting(
        STRIPE_API, env="STRIPE_API_BASE", help="Where the Stripe API is; the stand-in's address in development"
    )
    stripe_timeout_seconds: float = setting(10.0, help="Longest wait for one answer of Stripe", minimum=0.1, maximum=80)
    stripe_retries: int = setting(2, help="How often a call whose answer was lost is repeated", minimum=0, maximum=5)
    breaker_failures: int = setting(5, help="Failures in a row after which an outside service is left alone", minimum=1)
    breaker_seconds: int = setting(30, help="How long it is left alone", minimum=1)
    webhook_tolerance_seconds: int = setting(300, help="How old, or early, a signed notice may be", minimum=1)
    monthly_price_ids: tuple[str, ...] = setting((), help="Further Stripe prices that are premium by the month")
    annual_price_ids: tuple[str, ...] = setting((), help="Further Stripe prices that are premium by the year")
    return_origins: tuple[str, ...] = setting(
        (), help="Origins besides the front-end's to which a checkout may return", example="https://staging.jiki.io"
    )
    geoip_database: str = setting(
        "",
        help="Path of a country database in MaxMind's format (.mmdb); empty means none",
        example="/data/country.mmdb",
    )
    reputation_services: tuple[str, ...] = setting(
        (), help=f"Services asked whether an address hides its user, in order: {', '.join(REPUTATION_FORMATS)}"
    )
    proxycheck_url: str = setting("https://proxycheck.io", help="Where a service in proxycheck.io's format is")
    proxycheck_key: Secret = setting(Secret(""), help="Its key")
    ipqualityscore_url: str = setting(
        "https://ipqualityscore.com", help="Where a service in IPQualityScore's format is"
    )
    ipqualityscore_key: Secret = setting(Secret(""), help="Its key")
    reputation_timeout_seconds: float = setting(1.0, help="Longest wait for such a service", minimum=0.05, maximum=10)
    reputation_daily_budget: int = setting(1_000, help="Questions to such services in a UTC day", minimum=0)
    reputation_cache_hours: int = setting(24, help="How long a verdict on an address holds", minimum=1)

    def mistakes(self) -> Iterator[Mistake]:
        """What types alone cannot say."""
        key = self.stripe_secret_key.reveal()
        if urlsplit(self.stripe_api_base).scheme not in ("http", "https"):
            yield Mistake("STRIPE_API_BASE", "must be an http or https address", STRIPE_API)
        if key and "_live_" in key and self.stripe_api_base != STRIPE_API:
            yield Mistake("STRIPE_API_BASE", "must be Stripe's own while the key is a live one", STRIPE_API)
        if key and not self.stripe_webhook_secret:
            yield Mistake("STRIPE_WEBHOOK_SECRET", "is required when STRIPE_SECRET_KEY is set", "whsec_…")
        for name in self.reputation_services:
            if name not in REPUTATION_FORMATS:
                yield Mistake(
                    "JIKI_PAYMENTS_REPUTATION_SERVICES", f"must be among {', '.join(REPUTATION_FORMATS)}", "proxycheck"
                )
        for origin in self.return_origins:
            if origin != origin_of(origin) or urlsplit(origin).scheme not in ("http", "https"):
                yield Mistake(
                    "JIKI_PAYMENTS_RETURN_ORIGINS", "must be origins, without a path", "https://staging.jiki.io"
                )


def payments_settings() -> PaymentsSettings:
    """The settings of the current app."""
    return cast(PaymentsSettings, runtime().plugin_settings["payments"])
