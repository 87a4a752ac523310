"""The mail door: templates per locale, sent by jobs over SMTP or SES, and the addresses that get no mail."""

from jiki_core.mail.sending import send_mail
from jiki_core.mail.suppression import AddressSuppressed, causes_of, lift, may_receive, suppress
from jiki_core.mail.templates import Category, EmailTemplate

__all__ = [
    "AddressSuppressed",
    "Category",
    "EmailTemplate",
    "causes_of",
    "lift",
    "may_receive",
    "send_mail",
    "suppress",
]
