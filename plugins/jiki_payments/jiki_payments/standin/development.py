"""How `bin/dev` runs the stand-in, so that a checkout can be completed without an account at Stripe."""

from __future__ import annotations

from collections.abc import Mapping

from jiki_core.devserver import Place, StandIn

WEBHOOK_SECRET = "whsec_standin"


def _arguments(place: Place) -> tuple[str, ...]:
    return (
        *("--port", str(place.port)),
        *("--state", str(place.folder / "state.json")),
        *("--webhook-secret", WEBHOOK_SECRET),
        *("--webhook-url", f"{place.public_url}/api/v1/webhooks/stripe"),
    )


def _environment(place: Place) -> Mapping[str, str]:
    return {
        "STRIPE_SECRET_KEY": "sk_test_standin",
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "STRIPE_API_BASE": place.url,
    }


standin = StandIn(
    name="stripe",
    replaced_by="STRIPE_SECRET_KEY",
    module="jiki_payments.standin",
    arguments=_arguments,
    environment=_environment,
    health_path="/_standin/health",
    page_path="/_standin/",
)
