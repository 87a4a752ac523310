"""Recovery codes: a selector by which one is found, and 120 random bits, so that SHA-256 is hash enough. Pure."""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass

CODES = 10
_FORMAT = re.compile(r"([a-z2-7]{8})-([a-z2-7]{24})")


@dataclass(frozen=True, slots=True)
class RecoveryCodeParts:
    """`text` is shown once; the secret is kept as a hash only."""

    selector: str
    secret: str

    @property
    def text(self) -> str:
        return f"{self.selector}-{self.secret}"


def new_code() -> RecoveryCodeParts:
    return RecoveryCodeParts(_letters(5), _letters(15))


def parse(text: str) -> RecoveryCodeParts | None:
    """None for what is no recovery code; case and blanks do not matter."""
    found = _FORMAT.fullmatch(re.sub(r"\s", "", text).lower())
    return RecoveryCodeParts(found[1], found[2]) if found else None


def _letters(count: int) -> str:
    return base64.b32encode(os.urandom(count)).decode().lower()
