"""A TCP proxy that breaks connections on purpose: refuses, cuts, delays, or cuts around a chosen piece of the traffic."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Inspect = Callable[[bytes], str]


class Proxy:
    """Forwards 127.0.0.1:`port` to `target`. All switches may be thrown while it runs."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self.port: int = self._listener.getsockname()[1]
        #: new connections are closed at once
        self.is_refusing = False
        #: asked for each piece that a client sends: "pass", "cut" (before it is forwarded) or "cut after"
        self.inspect: Inspect = lambda piece: "pass"
        threading.Thread(target=self._accept, daemon=True, name="proxy").start()

    def cut_all(self) -> None:
        """Ends every open connection, without a goodbye."""
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            self._cut(pair)

    def close(self) -> None:
        self._listener.close()
        self.cut_all()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.is_refusing:
                client.close()
                continue
            try:
                server = socket.create_connection(self._target, timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            pair = (client, server)
            with self._lock:
                self._pairs.add(pair)
            threading.Thread(target=self._pump, args=(pair, client, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(pair, server, client, False), daemon=True).start()

    def _pump(
        self, pair: tuple[socket.socket, socket.socket], source: socket.socket, sink: socket.socket, is_upward: bool
    ) -> None:
        while True:
            try:
                piece = source.recv(65_536)
                verdict = self.inspect(piece) if is_upward and piece else "pass"
                if not piece or verdict == "cut":
                    break
                if verdict == "cut after":
                    # The client must not hear the answer; the server must get the whole question.
                    with contextlib.suppress(OSError):
                        pair[0].shutdown(socket.SHUT_RDWR)
                    sink.sendall(piece)
                    sink.shutdown(socket.SHUT_WR)
                    with contextlib.suppress(OSError):
                        while sink.recv(65_536):
                            pass
                    break
                sink.sendall(piece)
            except OSError:
                break
        self._cut(pair)

    def _cut(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._lock:
            self._pairs.discard(pair)
        for one in pair:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextlib.contextmanager
def proxy_to(host: str, port: int) -> Iterator[Proxy]:
    proxy = Proxy((host, port))
    try:
        yield proxy
    finally:
        proxy.close()
