"""The SMTP transport: `smtp://` (plain, or STARTTLS when offered with credentials) and `smtps://`."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from jiki_core.mail.transport import AddressRefused, NotAccepted, OutcomeUnknown

TIMEOUT_SECONDS = 15
#: RFC 5321 4.2.3: the mailbox does not exist, is not local, or its name is not allowed
_NO_SUCH_MAILBOX = frozenset({550, 551, 553})


def send_by_smtp(url: str, message: EmailMessage) -> None:
    """Raises NotAccepted, AddressRefused or OutcomeUnknown."""
    try:
        connection = _connect(url)
    except (smtplib.SMTPException, OSError) as error:
        raise NotAccepted(f"{type(error).__name__}: {error}") from error
    with _closing(connection):
        try:
            connection.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            text = f"{code} {said.decode(errors='replace')}"
            raise (AddressRefused(text) if code in _NO_SUCH_MAILBOX else NotAccepted(text)) from error
        except smtplib.SMTPResponseException as error:
            raise NotAccepted(f"{type(error).__name__}: {error}") from error
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            # The library does not tell before which step the connection broke; the cautious reading is the last one.
            raise OutcomeUnknown(f"{type(error).__name__}: {error}") from error


def _connect(url: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or (465 if parts.scheme == "smtps" else 25)
    if parts.scheme == "smtps":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            host, port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    else:
        connection = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    if parts.username:
        if parts.scheme == "smtp":
            connection.starttls(context=ssl.create_default_context())
        connection.login(unquote(parts.username), unquote(parts.password or ""))
    return connection


@contextlib.contextmanager
def _closing(connection: smtplib.SMTP) -> Iterator[None]:
    """Says goodbye; a server that does not answer that has the message all the same."""
    try:
        yield
    finally:
        with contextlib.suppress(smtplib.SMTPException, OSError):
            connection.quit()
        connection.close()
