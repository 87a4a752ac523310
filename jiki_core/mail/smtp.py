"""The SMTP transport: `smtp://` (plain, or STARTTLS when offered with credentials) and `smtps://`."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from jiki_core.db.unit_of_work import refuse_inside_unit

TIMEOUT_SECONDS = 15


def deliver(url: str, message: EmailMessage) -> None:
    """Hands one message over; raises smtplib.SMTPException or OSError when the server does not take it."""
    refuse_inside_unit("sending mail")
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or (465 if parts.scheme == "smtps" else 25)
    connection: smtplib.SMTP
    if parts.scheme == "smtps":
        connection = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context())
    else:
        connection = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    with connection:
        if parts.username:
            if parts.scheme == "smtp":
                connection.starttls(context=ssl.create_default_context())
            connection.login(unquote(parts.username), unquote(parts.password or ""))
        connection.send_message(message)
