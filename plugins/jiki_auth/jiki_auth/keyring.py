"""Keys that sign access tokens: the newest signs, older ones verify for as long as their tokens can live.

Before the first `flask auth keys rotate` one key is derived from the core's secret, for each algorithm.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flask import current_app
from sqlalchemy import select

from jiki_auth.models import SigningKey
from jiki_auth.settings import AuthSettings, auth_settings
from jiki_core.configuration import derived_key
from jiki_core.db import reading
from jiki_core.runtime import runtime
from jiki_core.security import SealingKeys

#: how old the list of keys may be in a process; a key signs only when every process knows it
REFRESH_SECONDS = 30.0
#: beyond the life of a token: until all processes have seen a rotation, and for clocks that differ
MARGIN = timedelta(minutes=2)


@dataclass(frozen=True)
class TokenKey:
    """One key; `signing` and `verification` are what PyJWT takes."""

    id: str
    algorithm: str
    signing: Any
    verification: Any
    #: None for the derived one, which was always there
    created_at: datetime | None


class Keyring:
    """The keys of one app, read again when they are old or a token names an unknown one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._keys: tuple[TokenKey, ...] = ()
        self._read_at = float("-inf")

    def current(self) -> TokenKey:
        """The key that signs: the newest of the configured algorithm that every process has had time to see."""
        seen_by_all = datetime.now(UTC) - timedelta(seconds=2 * REFRESH_SECONDS)
        return [
            key
            for key in self._usable()
            if key.algorithm == auth_settings().access_token_algorithm
            and (key.created_at is None or key.created_at <= seen_by_all)
        ][-1]

    def find(self, key_id: object, algorithm: object) -> TokenKey | None:
        """A key that may verify; the algorithm is the key's, whatever a token says."""
        for is_second_look in (False, True):
            for key in self._usable(is_fresh=is_second_look):
                if key.id == key_id and key.algorithm == algorithm:
                    return key
        return None

    def _usable(self, *, is_fresh: bool = False) -> tuple[TokenKey, ...]:
        age = time.monotonic() - self._read_at
        if age > REFRESH_SECONDS or (is_fresh and age > 1.0):
            with self._lock:
                self._keys, self._read_at = _read_keys(auth_settings()), time.monotonic()
        return self._keys

    def forget(self) -> None:
        """Reads again at the next use."""
        self._read_at = float("-inf")


def keyring() -> Keyring:
    """The current app's."""
    found: Keyring = current_app.extensions.setdefault("jiki_auth.keyring", Keyring())
    return found


def new_key_material(algorithm: str) -> bytes:
    """32 random bytes, for either algorithm."""
    return (
        os.urandom(32)
        if algorithm == "HS256"
        else Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    )


def seal_key(material: bytes, key_id: str, keys: SealingKeys) -> str:
    """How a key lies in the database."""
    return keys.seal(material, bound_to=f"signing-key:{key_id}")


def _read_keys(settings: AuthSettings) -> tuple[TokenKey, ...]:
    """Oldest first, the derived key before all; those whose last token has died are left out."""
    keys = [_derived("HS256"), _derived("EdDSA")]
    sealing = settings.sealing_keys()
    for row in reading().execute(select(SigningKey).order_by(SigningKey.created_at, SigningKey.id)).scalars():
        material = sealing.open(row.key_sealed, bound_to=f"signing-key:{row.id}")
        keys.append(_token_key(row.id, row.algorithm, material, row.created_at))
    limit = datetime.now(UTC) - timedelta(seconds=settings.access_token_ttl_seconds) - MARGIN
    replaced_at = [
        next((later.created_at for later in keys[position + 1 :] if later.algorithm == key.algorithm), None)
        for position, key in enumerate(keys)
    ]
    return tuple(key for key, end in zip(keys, replaced_at, strict=True) if end is None or end > limit)


def _derived(algorithm: str) -> TokenKey:
    settings = runtime().settings
    if algorithm == "HS256":
        return _token_key("core-1", algorithm, derived_key(settings, "access-token"), None)
    return _token_key("core-ed-1", algorithm, derived_key(settings, "access-token-ed25519"), None)


def _token_key(key_id: str, algorithm: str, material: bytes, created_at: datetime | None) -> TokenKey:
    if algorithm == "HS256":
        return TokenKey(key_id, algorithm, material, material, created_at)
    private = Ed25519PrivateKey.from_private_bytes(material)
    return TokenKey(key_id, algorithm, private, private.public_key(), created_at)
