"""What auth hears from others."""

from __future__ import annotations

from jiki_auth.commands.mark_mail import mark_suppressed
from jiki_core.db import UnitOfWork
from jiki_core.mail import AddressSuppressed


def remember_suppression(uow: UnitOfWork, event: AddressSuppressed) -> None:
    """An address got suppressed, by a notice of SES or a server's refusal: its account knows."""
    mark_suppressed(uow, event.address, event.cause, event.detail)
