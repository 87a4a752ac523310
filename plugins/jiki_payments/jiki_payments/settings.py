"""What an operator may set for payments: `[payments]` in jiki.toml, `JIKI_PAYMENTS_…` in the environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from jiki_core.runtime import runtime
from jiki_core.settings import Secret, setting


@dataclass(frozen=True)
class PaymentsSettings:
    stripe_secret_key: Secret = setting(
        Secret(""),
        env="STRIPE_SECRET_KEY",
        help="Key of the Stripe account; empty turns checkout off",
        example="sk_live_…",
    )


def payments_settings() -> PaymentsSettings:
    """The settings of the current app."""
    return cast(PaymentsSettings, runtime().plugin_settings["payments"])
