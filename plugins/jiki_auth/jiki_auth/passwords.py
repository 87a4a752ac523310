"""Passwords: argon2id, and the rules a new one must keep. Hashes of older parameters are renewed at sign-in."""

from __future__ import annotations

from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from jiki_auth.settings import AuthSettings
from jiki_core.errors import FieldError

MINIMUM_LENGTH = 8
MAXIMUM_LENGTH = 128


@lru_cache(maxsize=4)
def hasher(memory_kib: int, iterations: int) -> PasswordHasher:
    return PasswordHasher(time_cost=iterations, memory_cost=memory_kib, parallelism=1)


def hash_password(password: str, settings: AuthSettings) -> str:
    """An argon2id hash in PHC format."""
    return hasher(settings.argon2_memory_kib, settings.argon2_iterations).hash(password)


def verify_password(password: str, stored: str | None, settings: AuthSettings) -> bool:
    """Compares; without a stored hash the same work is done in vain, so that nobody learns who has an account."""
    own = hasher(settings.argon2_memory_kib, settings.argon2_iterations)
    try:
        return own.verify(stored or _decoy(settings.argon2_memory_kib, settings.argon2_iterations), password) and (
            stored is not None
        )
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(stored: str, settings: AuthSettings) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return hasher(settings.argon2_memory_kib, settings.argon2_iterations).check_needs_rehash(stored)


@lru_cache(maxsize=4)
def _decoy(memory_kib: int, iterations: int) -> str:
    return hasher(memory_kib, iterations).hash("a password that nobody has")


def password_faults(password: str, confirmation: str | None, email: str) -> dict[str, list[FieldError]]:
    """Faults by field (contract.md section 1, "passwords"); empty when the password will do."""
    faults: dict[str, list[FieldError]] = {}
    if length := length_fault(password):
        faults["password"] = [length]
    elif _contains_address(password, email):
        faults["password"] = [FieldError("exclusion")]
    if confirmation is not None and confirmation != password:
        faults["password_confirmation"] = [FieldError("confirmation")]
    return faults


def length_fault(password: str) -> FieldError | None:
    """Too short or too long; the only rule for `flask auth create-user` and seeds."""
    if len(password) < MINIMUM_LENGTH:
        return FieldError("too_short", count=MINIMUM_LENGTH)
    if len(password) > MAXIMUM_LENGTH:
        return FieldError("too_long", count=MAXIMUM_LENGTH)
    return None


def _contains_address(password: str, email: str) -> bool:
    local = email.partition("@")[0].lower()
    return email.lower() in password.lower() or (len(local) >= 4 and local in password.lower())
