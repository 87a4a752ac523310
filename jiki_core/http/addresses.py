"""Where a request comes from: headers of a proxy or CDN are believed only from the networks the operator trusts."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from flask import Request, request

from jiki_core.runtime import runtime


@lru_cache(maxsize=64)
def _networks(texts: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


def is_trusted(address: str, networks: tuple[str, ...]) -> bool:
    """Whether an address lies in one of the networks; junk does not."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in _networks(networks) if network.version == parsed.version)


def trusted_header(name: str, incoming: Request | None = None) -> str | None:
    """A header such as `CF-IPCountry`, when the peer is a trusted proxy; else None."""
    incoming = incoming or request
    if not is_trusted(incoming.remote_addr or "", runtime().settings.trusted_networks):
        return None
    return incoming.headers.get(name) or None


def client_address(incoming: Request | None = None) -> str:
    """The visitor's address: `CF-Connecting-IP`, else the last untrusted hop of `X-Forwarded-For`, else the peer."""
    incoming = incoming or request
    networks = runtime().settings.trusted_networks
    peer = incoming.remote_addr or ""
    if not is_trusted(peer, networks):
        return peer
    if connecting := incoming.headers.get("CF-Connecting-IP"):
        return connecting if _is_address(connecting) else peer
    for hop in reversed([part.strip() for part in incoming.headers.get("X-Forwarded-For", "").split(",")]):
        if _is_address(hop) and not is_trusted(hop, networks):
            return hop
    return peer


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
