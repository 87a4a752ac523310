"""Catches development's mail: an SMTP server that keeps each message in a Maildir, and that Maildir's reader.

python -m jiki_core.devserver.mailcatcher MAILDIR PORT
"""

from __future__ import annotations

import mailbox
import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parseaddr
from html.parser import HTMLParser
from pathlib import Path

MAX_MESSAGE_BYTES = 30_000_000
_TEXT_LINK = re.compile(r"https?://[^\s<>\"')\]]+")


@dataclass(frozen=True, slots=True)
class CaughtMail:
    """One message as its recipients would see it."""

    id: str
    #: The addresses it was really sent to, joined by ", ".
    to: str
    sender: str
    subject: str
    text: str
    html: str
    #: Absolute links of both parts, in order of appearance, each once.
    links: tuple[str, ...]
    sent_at: datetime

    def as_dict(self) -> dict[str, object]:
        """The shape of `/dev/mail.json` (issue 2, "Handles")."""
        return {
            "id": self.id,
            "to": self.to,
            "from": self.sender,
            "subject": self.subject,
            "text": self.text,
            "html": self.html,
            "links": list(self.links),
            "sent_at": self.sent_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }


def read_outbox(maildir: Path, limit: int = 200) -> list[CaughtMail]:
    """The newest `limit` messages, newest first; empty when there is no outbox yet."""
    arrived = [path for folder in ("new", "cur") for path in maildir.glob(f"{folder}/*")]
    arrived.sort(key=_arrival, reverse=True)
    return [_parse(path) for path in arrived[:limit]]


def serve(maildir: Path, port: int) -> None:
    """Catch mail on 127.0.0.1:`port` until SIGTERM or SIGINT."""
    from aiosmtpd.controller import Controller

    box = mailbox.Maildir(maildir, create=True)
    controller = Controller(
        Catcher(box),
        hostname="127.0.0.1",
        port=port,
        data_size_limit=MAX_MESSAGE_BYTES,
        enable_SMTPUTF8=True,
    )
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before there is a thread that could get them
    controller.start()
    print(f"catching mail on smtp://127.0.0.1:{port}", flush=True)
    signal.sigwait(ends)
    controller.stop()


class Catcher:
    """aiosmtpd's handler: keeps what arrives, with the envelope's recipients in front."""

    def __init__(self, box: mailbox.Maildir) -> None:
        self._box = box

    async def handle_DATA(self, server: object, session: object, envelope: _Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        recipients = ", ".join(envelope.rcpt_tos)
        self._box.add(b"X-Caught-For: " + recipients.encode() + b"\r\n" + content)
        print(f"caught a message for {recipients}", flush=True)
        return "250 kept"


class _Envelope:
    """The part of aiosmtpd's Envelope we use; the package has no types."""

    content: bytes | str | None
    rcpt_tos: list[str]


class _LinkFinder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


def _links(text: str, html: str) -> Iterator[str]:
    finder = _LinkFinder()
    finder.feed(html)
    yield from (link for link in finder.found if link.startswith(("http://", "https://")))
    yield from (link.rstrip(".,;:!?") for link in _TEXT_LINK.findall(text))


def _parse(path: Path) -> CaughtMail:
    message = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
    assert isinstance(message, EmailMessage)  # what policy.default makes
    text, html = _part(message, "plain"), _part(message, "html")
    return CaughtMail(
        id=path.name.split(":", 1)[0],
        to=str(message["X-Caught-For"] or message["To"] or ""),
        sender=parseaddr(str(message["From"] or ""))[1],
        subject=str(message["Subject"] or ""),
        text=text,
        html=html,
        links=tuple(dict.fromkeys(_links(text, html))),
        sent_at=datetime.fromtimestamp(path.stat().st_mtime, tz=UTC),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    content = part.get_content() if part is not None else ""
    return content if isinstance(content, str) else ""


def _arrival(path: Path) -> tuple[int, str]:
    return (path.stat().st_mtime_ns, path.name)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
