"""Refusals of auth, with the contract's symbols (contract.md 2.3)."""

from __future__ import annotations

from jiki_core.errors import DomainError, InvalidToken


class InvalidCredentials(DomainError):
    """Unknown address or wrong password; nobody can tell which."""

    symbol = "invalid_credentials"
    status = 401


class Unconfirmed(DomainError):
    """The password is right, the address was never confirmed."""

    symbol = "unconfirmed"
    status = 401
    has_meta = False


class InvalidMailToken(InvalidToken):
    """A link from a mail that is unknown, used up or too old."""

    status = 422


class RefreshReused(DomainError):
    """A refresh token came again after its successor was used: the whole session is ended (RFC 9700 4.14.2)."""

    symbol = "refresh_reused"
    status = 401
