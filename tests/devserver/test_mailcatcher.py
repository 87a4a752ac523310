"""Development's mail: what is sent over SMTP is found in the outbox, newest first, with its links."""

from __future__ import annotations

import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from jiki_core.devserver.mailcatcher import read_outbox
from jiki_core.devserver.ports import free_port


@pytest.fixture(scope="module")
def catcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """A running mail catcher: its Maildir and its port."""
    maildir, port = tmp_path_factory.mktemp("mail") / "outbox", free_port()
    command = [sys.executable, "-m", "jiki_core.devserver.mailcatcher", str(maildir), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == f"catching mail on smtp://127.0.0.1:{port}\n"
    yield maildir, port
    process.terminate()
    process.communicate()
    assert process.returncode == 0


def send(port: int, message: EmailMessage, recipient: str = "ann@example.org") -> None:
    message["From"] = "Jiki <hello@mail.jiki.io>"
    message["To"] = "Somebody <header@example.org>"
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        smtp.send_message(message, to_addrs=[recipient])


def test_a_sent_message_is_in_the_outbox_as_its_reader_sees_it(catcher: tuple[Path, int]) -> None:
    maildir, port = catcher
    message = EmailMessage()
    message["Subject"] = "Bestätige deine Adresse ✓"
    message.set_content("Confirm: http://localhost:3061/confirm?token=a%3D&x=1.\n")
    message.add_alternative(
        '<p>Ünï <a href="http://localhost:3061/confirm?token=a%3D&amp;x=1">go</a>'
        ' <a href="https://jiki.io/help">help</a> <a href="mailto:x@y.z">mail</a></p>',
        subtype="html",
    )
    send(port, message)
    caught = read_outbox(maildir)[0]
    assert (caught.to, caught.sender, caught.subject) == (
        "ann@example.org",
        "hello@mail.jiki.io",
        "Bestätige deine Adresse ✓",
    )
    assert caught.text.startswith("Confirm: ")
    assert "Ünï" in caught.html
    assert caught.links == ("http://localhost:3061/confirm?token=a%3D&x=1", "https://jiki.io/help")
    assert set(caught.as_dict()) == {"id", "to", "from", "subject", "text", "html", "links", "sent_at"}
    assert abs(caught.sent_at.timestamp() - time.time()) < 60


def test_the_newest_message_comes_first(catcher: tuple[Path, int]) -> None:
    maildir, port = catcher
    for number in range(3):
        message = EmailMessage()
        message["Subject"] = f"number {number}"
        message.set_content("text")
        send(port, message)
    assert [mail.subject for mail in read_outbox(maildir, limit=3)] == ["number 2", "number 1", "number 0"]
    assert len({mail.id for mail in read_outbox(maildir)}) == len(read_outbox(maildir))


def test_an_outbox_that_does_not_exist_yet_is_empty(tmp_path: Path) -> None:
    assert read_outbox(tmp_path / "nothing") == []
