"""SMTP servers that misbehave in a chosen way, each a real one on a port of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.controller import Controller

from jiki_core.devserver.ports import free_port


class Moody:
    """aiosmtpd's handler: counts the messages it took, and answers as told."""

    def __init__(self, *, to_recipient: str = "250 fine", to_message: str | None = "250 kept") -> None:
        self.to_recipient = to_recipient
        #: None = takes the message and drops the connection
        self.to_message = to_message
        self.taken: list[bytes] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.to_message is None:
            self.taken.append(envelope.content)
            server.transport.abort()
            return "250 never heard"
        if self.to_message.startswith("250"):
            self.taken.append(envelope.content)
        return self.to_message


@contextmanager
def smtp_server(handler: Moody, *, takes_unicode: bool = True) -> Iterator[str]:
    """The URL of a server with this handler."""
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), enable_SMTPUTF8=takes_unicode)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{controller.port}"
    finally:
        controller.stop()
