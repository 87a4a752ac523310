"""Servers that stand for the outside: a captcha verifier, an OpenID provider, SNS's certificate host. Real sockets, real TLS.

Run as a process (`python outside_world.py openid PORT_FILE CLIENT_ID`) for the OpenID provider; the others are threads.
"""

from __future__ import annotations

import contextlib
import json
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

#: (path, form or None) -> (status, content type, body)
Answerer = Callable[[str, dict[str, str] | None], tuple[int, str, bytes]]


@contextlib.contextmanager
def serving(answer: Answerer, *, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server on a free port of 127.0.0.1; yields the port."""
    server = _server(answer)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _server(answer: Answerer) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(answer(self.path, None))

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            self._reply(answer(self.path, {name: values[0] for name, values in parse_qs(raw).items()}))

        def _reply(self, told: tuple[int, str, bytes]) -> None:
            status, content_type, body = told
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def as_json(status: int, value: Any) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps(value).encode()


class OpenIdProvider:
    """Exchanges codes for id tokens. A code is the JSON of what the token is to claim, so that a test decides."""

    def __init__(self, client_id: str, issuer: str) -> None:
        from cryptography.hazmat.primitives.asymmetric import rsa

        self.client_id, self.issuer = client_id, issuer
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._used: set[str] = set()

    def answer(self, path: str, form: dict[str, str] | None) -> tuple[int, str, bytes]:
        if path == "/certs":
            return as_json(200, {"keys": [self._published()]})
        if path == "/token" and form is not None:
            return self._exchange(form)
        return as_json(404, {})

    def _published(self) -> dict[str, Any]:
        from jwt.algorithms import RSAAlgorithm

        return {
            **RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True),
            "kid": "google-1",
            "use": "sig",
            "alg": "RS256",
        }

    def _exchange(self, form: dict[str, str]) -> tuple[int, str, bytes]:
        import jwt

        is_ours = form.get("client_id") == self.client_id and form.get("client_secret") == "client secret"
        is_code = form.get("grant_type") == "authorization_code" and form.get("redirect_uri") == "postmessage"
        code = form.get("code", "")
        if not (is_ours and is_code) or code in self._used:
            return as_json(400, {"error": "invalid_grant"})
        self._used.add(code)
        try:
            wanted = json.loads(code)
        except ValueError:
            return as_json(400, {"error": "invalid_grant"})
        now = int(time.time())
        defaults = {"iss": self.issuer, "aud": self.client_id, "iat": now, "exp": now + 300}
        claims = {**defaults, **{name: value for name, value in wanted.items() if not name.startswith("_")}}
        key = self._other if wanted.get("_key") == "other" else self._key
        token = jwt.encode(claims, key, "RS256", headers={"kid": wanted.get("_kid", "google-1")})
        return as_json(200, {"id_token": token, "access_token": "a", "token_type": "Bearer"})


def main(port_file: str, client_id: str, issuer: str) -> None:
    """The OpenID provider as a process of its own, until it is ended."""
    server = _server(OpenIdProvider(client_id, issuer).answer)
    waiting = Path(f"{port_file}.part")
    waiting.write_text(str(server.server_address[1]), encoding="utf-8")
    waiting.rename(port_file)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
