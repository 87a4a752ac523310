"""Keeps tests off the network: what is not on this machine is refused, with a sentence on what to do instead.

Python's own sockets are guarded. PostgreSQL's library opens its own, to the database that the tests started.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_HERE = frozenset({"", "localhost", "localhost.localdomain", "ip6-localhost"})


class NetworkRefused(ConnectionRefusedError):
    """A test reached for another machine."""

    def __init__(self, target: str) -> None:
        super().__init__(
            f"a test reached for {target}; run a stand-in on 127.0.0.1, or mark the test with @pytest.mark.network"
        )


@contextmanager
def network_refused() -> Iterator[None]:
    """Within the block, sockets of this process reach this machine only."""
    connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(own: socket.socket, address: Any) -> Any:
            if own.family in (socket.AF_INET, socket.AF_INET6) and not is_here(address[0]):
                raise NetworkRefused(str(address[0]))
            return original(own, address)

        return call

    def guarded_look_up(host: Any, *rest: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not _is_address(name) and not is_here(name):
            raise socket.gaierror(socket.EAI_NONAME, str(NetworkRefused(name)))
        return look_up(host, *rest, **options)

    socket.socket.connect = guarded(connect)  # type: ignore[method-assign]  # that is the guard
    socket.socket.connect_ex = guarded(connect_ex)  # type: ignore[method-assign]  # that is the guard
    socket.getaddrinfo = guarded_look_up
    try:
        yield
    finally:
        socket.socket.connect = connect  # type: ignore[method-assign]  # as it was
        socket.socket.connect_ex = connect_ex  # type: ignore[method-assign]  # as it was
        socket.getaddrinfo = look_up


def is_here(host: str) -> bool:
    """Whether a name or an address means this machine."""
    if host in _HERE or host == socket.gethostname():
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _is_address(host: str) -> bool:
    """An address needs no look-up; whether it may be connected to is decided then."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
