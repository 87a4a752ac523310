"""What every mail transport promises: one function that hands a message over, and three ways in which that can fail."""

from __future__ import annotations

from email.message import EmailMessage

from jiki_core.configuration import CoreSettings
from jiki_core.db.unit_of_work import refuse_inside_unit
from jiki_core.mail.templates import Category


class NotAccepted(Exception):
    """The message was certainly not taken; trying again later is right."""


class AddressRefused(Exception):
    """The message was certainly not taken and never will be: the address does not exist or does not want it."""


class OutcomeUnknown(Exception):
    """The connection broke after the message was sent and before it was acknowledged: it may have been taken."""


def hand_over(settings: CoreSettings, category: Category, message: EmailMessage) -> None:
    """Hands one message to the configured transport. Raises NotAccepted, AddressRefused or OutcomeUnknown."""
    refuse_inside_unit("sending mail")
    if settings.mail_transport == "ses":
        from jiki_core.mail.ses import send_by_ses  # boto3 is an extra: jiki-core[aws]

        send_by_ses(settings, category, message)
    else:
        from jiki_core.mail.smtp import send_by_smtp

        send_by_smtp(settings.mail_smtp_url.reveal(), message)
