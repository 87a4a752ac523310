"""The signature of Stripe's notices: over the raw bytes, with any of our secrets, within a window both ways. Pure."""

from __future__ import annotations

import time
from collections.abc import Sequence


class SignatureRefused(ValueError):
    """Why a notice is not believed."""


def check_signature(
    payload: bytes, header: str, secrets: Sequence[str], tolerance_seconds: int, now: float | None = None
) -> None:
    """Raises SignatureRefused. Several secrets hold while they are rotated; Stripe's SDK compares in constant time."""
    if not secrets:
        raise SignatureRefused("no secret is configured: set STRIPE_WEBHOOK_SECRET")
    current = time.time() if now is None else now
    signed_at = _signed_at(header)
    if signed_at < current - tolerance_seconds:
        raise SignatureRefused("signed too long ago")
    if signed_at > current + tolerance_seconds:
        raise SignatureRefused("signed in the future: compare the clocks")
    import stripe  # not at boot: stripe_gateway.py

    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(payload, header, secret)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            continue
        return
    raise SignatureRefused("signed with none of our secrets")


def _signed_at(header: str) -> int:
    stamps = [value for name, _, value in (part.strip().partition("=") for part in header.split(",")) if name == "t"]
    if len(stamps) != 1 or not stamps[0].isascii() or not stamps[0].isdigit() or len(stamps[0]) > 12:
        raise SignatureRefused("no Stripe-Signature of the form t=…,v1=…")
    return int(stamps[0])
