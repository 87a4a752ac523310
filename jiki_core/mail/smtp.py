"""The SMTP transport: `smtp://` (plain, or STARTTLS when offered with credentials) and `smtps://`."""

from __future__ import annotations

import contextlib
import re
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from jiki_core.mail.transport import AddressRefused, NotAccepted, OutcomeUnknown

TIMEOUT_SECONDS = 15
#: RFC 5321 4.2.3: the mailbox does not exist, is not local, or its name is not allowed
_NO_SUCH_MAILBOX = frozenset({550, 551, 553})
#: RFC 3463: the class, the subject (1: the address, 2: the mailbox, 7: security or policy) and the detail
_ENHANCED_CODE = re.compile(r"\s*5\.(\d{1,3})\.(\d{1,3})\b")
#: details of subject 1 that are about the sender
_SENDERS_FAULT = frozenset({"7", "8"})


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
            told = said.decode(errors="replace")
            text = f"{code} {told}"
            raise (AddressRefused(text) if is_address_at_fault(code, told) else NotAccepted(text)) from error
        except (smtplib.SMTPResponseException, smtplib.SMTPNotSupportedError) as error:
            raise NotAccepted(f"{type(error).__name__}: {error}") from error
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            # The library does not tell before which step the connection broke; the cautious reading is the last one.
            raise OutcomeUnknown(f"{type(error).__name__}: {error}") from error


def is_address_at_fault(code: int, told: str) -> bool:
    """Whether a recipient was refused because there is no such mailbox. Pure.

    The same 550 tells of relaying that is denied and of a sender on a blocklist: a mistake of ours must not suppress
    everybody we write to.
    """
    if code not in _NO_SUCH_MAILBOX:
        return False
    enhanced = _ENHANCED_CODE.match(told)
    if enhanced is None:
        return True
    subject, detail = enhanced.groups()
    return (subject == "1" and detail not in _SENDERS_FAULT) or (subject, detail) == ("2", "1")


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
