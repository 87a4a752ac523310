"""E-mail addresses and handles: how they are written down, and what they may look like."""

from __future__ import annotations

import re
import secrets
import unicodedata

from jiki_core.errors import FieldError

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_HANDLE = re.compile(r"[a-z0-9-]+")
MINIMUM_HANDLE_LENGTH = 3
MAXIMUM_HANDLE_LENGTH = 30
MAXIMUM_EMAIL_LENGTH = 254


def normalise_email(text: str) -> str:
    """Lower case, without surrounding blanks: the form in which addresses are stored and compared."""
    return text.strip().lower()


def is_email(text: str) -> bool:
    """One @, no blanks, at most 254 characters (contract.md 4.2; RFC 5321 4.5.3.1.3)."""
    return bool(_EMAIL.fullmatch(text)) and len(text) <= MAXIMUM_EMAIL_LENGTH


def handle_fault(text: str) -> FieldError | None:
    """What is wrong with a handle, which is 3 to 30 of `a-z 0-9 -` (contract.md section 1)."""
    if not _HANDLE.fullmatch(text):
        return FieldError("invalid", value=text)
    if len(text) < MINIMUM_HANDLE_LENGTH:
        return FieldError("too_short", count=MINIMUM_HANDLE_LENGTH)
    if len(text) > MAXIMUM_HANDLE_LENGTH:
        return FieldError("too_long", count=MAXIMUM_HANDLE_LENGTH)
    return None


def handle_from_email(email: str) -> str:
    """The address's local part as a handle: `john.doe@x` -> `john-doe`; padded when it would be too short."""
    plain = unicodedata.normalize("NFKD", email.partition("@")[0]).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:23]
    return slug if len(slug) >= 3 else f"{slug or 'user'}-{secrets.token_hex(3)}"


def handle_variant(handle: str) -> str:
    """The handle with six random hex digits, for when it is taken (contract.md 3.1)."""
    return f"{handle[:23]}-{secrets.token_hex(3)}"
