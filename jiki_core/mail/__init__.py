"""The mail door: templates per locale, sent by jobs over SMTP."""

from jiki_core.mail.sending import send_mail
from jiki_core.mail.templates import Category, EmailTemplate

__all__ = ["Category", "EmailTemplate", "send_mail"]
