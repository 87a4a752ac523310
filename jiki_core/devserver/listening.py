"""The listening sockets of a stack, opened once by `bin/dev` and inherited by its servers.

So a port that is taken is noticed before anything is started, and connections that come during a reload wait
for the new server instead of being refused.
"""

from __future__ import annotations

import contextlib
import socket

from jiki_core.devserver.errors import ServiceError

BACKLOG = 512


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on `host:port`; for localhost on both of its addresses. Raises ServiceError."""
    addresses = [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)]
    if host != "localhost":
        addresses = [(host, socket.AF_INET6 if ":" in host else socket.AF_INET)]
    opened: list[socket.socket] = []
    for address, family in addresses:
        try:
            opened.append(_listen(address, port, family))
        except OSError as error:
            if family is socket.AF_INET6 and _has_no_ipv6():
                continue
            for listener in opened:
                listener.close()
            raise ServiceError(
                f"port {port} on {address} can't be used: {error.strerror}",
                f"stop what listens there, or choose another: bin/dev --port {port + 10}",
            ) from None
    return opened


def bindings(listeners: list[socket.socket]) -> list[str]:
    """The listeners as gunicorn's `--bind` arguments."""
    return [part for listener in listeners for part in ("--bind", f"fd://{listener.fileno()}")]


def _listen(address: str, port: int, family: socket.AddressFamily) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _has_no_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.bind(("::1", 0))
        return False
    return True
