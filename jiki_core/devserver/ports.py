"""Choosing local TCP ports that nobody uses."""

from __future__ import annotations

import random
import socket

#: Below the range from which Linux and macOS take the ports of outgoing connections, so that a remembered
#: port is still free at the next start.
CANDIDATES = range(15000, 32000)


def is_port_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on `host:port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Servers set this too: connections of a server that just ended (TIME_WAIT) don't keep a port busy.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None) -> int:
    """`preferred` if it is free, else a random free port."""
    if preferred is not None and is_port_free(preferred):
        return preferred
    for port in random.sample(CANDIDATES, 200):
        if is_port_free(port):
            return port
    raise OSError("no free TCP port found on 127.0.0.1 in 200 tries")
