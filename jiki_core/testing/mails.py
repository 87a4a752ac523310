"""A real SMTP server for tests, in a thread of the test process, keeping its messages in a Maildir."""

from __future__ import annotations

import mailbox
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from aiosmtpd.controller import Controller

from jiki_core.devserver.mailcatcher import Catcher, CaughtMail, read_outbox
from jiki_core.devserver.ports import free_port


class MailCatcher:
    """Context manager; `url` is what JIKI_MAIL_SMTP_URL takes."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="jiki-mail-"))
        self._maildir = self._folder / "maildir"
        box = mailbox.Maildir(self._maildir, create=True)
        self._controller = Controller(Catcher(box), hostname="127.0.0.1", port=free_port())

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._controller.port}"

    def messages(self) -> list[CaughtMail]:
        """All of them, newest first."""
        return read_outbox(self._maildir, limit=100_000)

    def clear(self) -> None:
        for folder in ("new", "cur"):
            for path in (self._maildir / folder).glob("*"):
                path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._controller.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
