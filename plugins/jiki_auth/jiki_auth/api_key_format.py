"""The text of an API key: `jk_<env>_<id>_<secret><checksum>`, letters and digits only. Pure.

The checksum (CRC-32 of all before it, base 62) tells a mistyped or invented key without a query, and lets scanners for
leaked credentials be sure.
"""

from __future__ import annotations

import re
import secrets
import string
import zlib
from dataclasses import dataclass

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_LENGTH = 12
#: 190 bits
SECRET_LENGTH = 32
CHECKSUM_LENGTH = 6
PREFIX = "jk_"
_FORMAT = re.compile(rf"jk_([a-z]+)_([0-9A-Za-z]{{{ID_LENGTH}}})_([0-9A-Za-z]{{{SECRET_LENGTH}}})([0-9A-Za-z]{{6}})")
#: kind of installation -> second part of its keys
ENVIRONMENTS = {"production": "live", "development": "dev", "test": "test"}


@dataclass(frozen=True, slots=True)
class ApiKeyParts:
    environment: str
    id: str
    secret: str

    @property
    def text(self) -> str:
        """What the owner is shown once."""
        body = f"{PREFIX}{self.environment}_{self.id}_{self.secret}"
        return body + checksum(body)


def new_parts(environment: str, key_id: str | None = None) -> ApiKeyParts:
    """A fresh secret; with `key_id`, for a key that exists."""
    return ApiKeyParts(ENVIRONMENTS[environment], key_id or _random(ID_LENGTH), _random(SECRET_LENGTH))


def parse(text: str, environment: str) -> ApiKeyParts | None:
    """None for what no installation of this kind can have made."""
    found = _FORMAT.fullmatch(text)
    if found is None or found[1] != ENVIRONMENTS[environment]:
        return None
    return ApiKeyParts(found[1], found[2], found[3]) if checksum(text[:-CHECKSUM_LENGTH]) == found[4] else None


def checksum(body: str) -> str:
    """Six characters."""
    value, digits = zlib.crc32(body.encode()), []
    for _ in range(CHECKSUM_LENGTH):
        value, digit = divmod(value, 62)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
