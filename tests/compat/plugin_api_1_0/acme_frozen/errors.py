"""Refusals."""

from __future__ import annotations

from jiki_core import DomainError


class NoteTooLong(DomainError):
    """The note has more characters than the operator allows."""

    symbol = "frozen_note_too_long"
    status = 422


class NotOurs(DomainError):
    """The signature is not our service's."""

    symbol = "frozen_not_ours"
    status = 401
