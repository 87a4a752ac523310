"""Time-based one-time passwords (RFC 6238): 30 s steps, six digits, one step of tolerance, no step twice. Pure."""

from __future__ import annotations

import base64
import hmac
import os
from urllib.parse import quote

from pyotp import TOTP

STEP_SECONDS = 30
#: steps before and after now whose codes are accepted
TOLERANCE = 1
#: steps within which a right code means that the device's clock is off
OUT_OF_SYNC = 10
SEED_BYTES = 20
ISSUER = "Jiki"
IMAGE = "https://jiki.io/static/images/logo.png"


class ClockOutOfSync(Exception):
    """The code belongs to a time some minutes away."""


def new_seed() -> bytes:
    """160 bits (RFC 4226 section 4, R6)."""
    return os.urandom(SEED_BYTES)


def step_of(unix_seconds: float) -> int:
    return int(unix_seconds) // STEP_SECONDS


def code_at(seed: bytes, step: int) -> str:
    """The six digits of a step."""
    return TOTP(base32(seed)).generate_otp(step)


def accepted_step(seed: bytes, code: str, *, now: float, last_step: int | None) -> int | None:
    """The step whose code this is, if it may be used: near now, and newer than the last one accepted.

    None for a wrong or used code. Raises ClockOutOfSync for the code of a step up to five minutes away.
    """
    current = step_of(now)
    matching = [
        step
        for step in range(max(0, current - OUT_OF_SYNC), current + OUT_OF_SYNC + 1)
        if hmac.compare_digest(code_at(seed, step).encode(), code.encode())
    ]
    usable = [step for step in matching if abs(step - current) <= TOLERANCE]
    fresh = [step for step in usable if last_step is None or step > last_step]
    if fresh:
        return min(fresh)
    if matching and not usable:
        raise ClockOutOfSync()
    return None


def base32(seed: bytes) -> str:
    """How authenticator apps take a seed."""
    return base64.b32encode(seed).decode()


def provisioning_uri(seed: bytes, email: str) -> str:
    """What the QR code says (contract.md section 5)."""
    return (
        f"otpauth://totp/{ISSUER}:{quote(email, safe='')}?secret={base32(seed)}&issuer={ISSUER}"
        f"&image={quote(IMAGE, safe='')}"
    )
