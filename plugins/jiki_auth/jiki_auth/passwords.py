"""Passwords: argon2id, and the rules a new one must keep. Hashes of older parameters are renewed at sign-in."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import has_app_context

from jiki_auth.settings import AuthSettings
from jiki_auth.weak_passwords import is_guessable
from jiki_core.db import release_connection
from jiki_core.errors import FieldError, Unavailable

MINIMUM_LENGTH = 8
MAXIMUM_LENGTH = 128
#: how long a request waits for its turn to hash
HASH_WAIT_SECONDS = 10.0


@lru_cache(maxsize=4)
def hasher(memory_kib: int, iterations: int) -> PasswordHasher:
    return PasswordHasher(time_cost=iterations, memory_cost=memory_kib, parallelism=1)


def hash_password(password: str, settings: AuthSettings) -> str:
    """An argon2id hash in PHC format."""
    with _turn(settings):
        return hasher(settings.argon2_memory_kib, settings.argon2_iterations).hash(_normal(password))


def verify_password(password: str, stored: str | None, settings: AuthSettings) -> bool:
    """Compares; without a stored hash the same work is done in vain, so that nobody learns who has an account."""
    own = hasher(settings.argon2_memory_kib, settings.argon2_iterations)
    against = stored or _decoy(settings.argon2_memory_kib, settings.argon2_iterations)
    try:
        with _turn(settings):
            return own.verify(against, _normal(password)) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(stored: str, settings: AuthSettings) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return hasher(settings.argon2_memory_kib, settings.argon2_iterations).check_needs_rehash(stored)


def password_faults(password: str, confirmation: str | None, email: str) -> dict[str, list[FieldError]]:
    """Faults by field (contract.md section 1, "passwords"); empty when the password will do."""
    faults: dict[str, list[FieldError]] = {}
    if length := length_fault(password):
        faults["password"] = [length]
    elif _contains_address(password, email) or is_guessable(_normal(password)):
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


def _normal(password: str) -> str:
    """NFKC, so that a passphrase typed on another keyboard or system is the same (NIST SP 800-63B 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


@lru_cache(maxsize=4)
def _decoy(memory_kib: int, iterations: int) -> str:
    return hasher(memory_kib, iterations).hash("a password that nobody has")


@lru_cache(maxsize=4)
def _turns(count: int) -> BoundedSemaphore:
    return BoundedSemaphore(count)


@lru_cache(maxsize=4)
def _places(count: int) -> BoundedSemaphore:
    return BoundedSemaphore(count)


@contextmanager
def _turn(settings: AuthSettings) -> Iterator[None]:
    """A hash takes 20 MiB and a core: so many at once, some wait, the others are asked to come again.

    Whoever waits holds a thread, hence few may; nobody holds a database connection. Raises Unavailable.
    """
    places = _places(settings.hash_concurrency + settings.hash_waiting)
    if not places.acquire(blocking=False):
        raise Unavailable(retry_after_seconds=1)
    try:
        if has_app_context():
            release_connection()
        turns = _turns(settings.hash_concurrency)
        if not turns.acquire(timeout=HASH_WAIT_SECONDS):
            raise Unavailable(retry_after_seconds=5)
        try:
            yield
        finally:
            turns.release()
    finally:
        places.release()
