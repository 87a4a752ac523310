"""Secrets that we hand out and keep only as SHA-256: 256 random bits need no slow hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets


def new_secret() -> str:
    """256 bits, safe in URLs and cookies."""
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> bytes:
    """What the database keeps."""
    return hashlib.sha256(secret.encode()).digest()


def matches(secret: str, stored: bytes) -> bool:
    """Compares in constant time."""
    return hmac.compare_digest(secret_hash(secret), stored)
