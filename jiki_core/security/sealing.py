"""Secrets that must be read again, encrypted at rest with AES-256-GCM; each names the key that opens it."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class SealBroken(ValueError):
    """Not sealed with a key we have, or for another purpose, or altered."""


@dataclass(frozen=True, slots=True)
class SealingKeys:
    """Keys of 32 bytes, newest first: the first seals, all of them open."""

    keys: Sequence[bytes]

    def seal(self, plaintext: bytes, *, bound_to: str) -> str:
        """`<key id>.<base64 of nonce and ciphertext>`; opens only with the same `bound_to`, e.g. "totp:17"."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self.keys[0]).encrypt(nonce, plaintext, bound_to.encode())
        return f"{key_id(self.keys[0])}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, bound_to: str) -> bytes:
        """The plaintext. Raises SealBroken."""
        name, _, body = sealed.partition(".")
        for key in self.keys:
            if key_id(key) == name:
                raw = base64.urlsafe_b64decode(body)
                try:
                    return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], bound_to.encode())
                except InvalidTag:
                    break
        raise SealBroken(f"sealed with the key {name!r}, or for something else than {bound_to.partition(':')[0]!r}")

    def is_current(self, sealed: str) -> bool:
        """Whether the newest key sealed it."""
        return sealed.partition(".")[0] == key_id(self.keys[0])


def key_id(key: bytes) -> str:
    """Eight hex digits that name a key without telling anything of it."""
    return hashlib.sha256(b"jiki/key-id" + key).hexdigest()[:8]
