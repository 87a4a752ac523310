"""Policies of routes: public, signed in, a permission, or a signature; named, so that `flask policies` can print them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from flask import Request


class SignatureVerifier(Protocol):
    """Checks a webhook's signature over the raw body; raises a DomainError when it is wrong."""

    __name__: str

    def __call__(self, request: Request) -> None: ...


@dataclass(frozen=True)
class Policy:
    """Who may call a route. `reason` says why it differs from its audience's default."""

    kind: Literal["public", "signed_in", "permission", "signature"]
    permission: str | None = None
    verifier: SignatureVerifier | None = None
    reason: str = ""

    def describe(self) -> str:
        """One word or phrase for the access matrix."""
        if self.kind == "permission":
            return f"permission {self.permission}"
        if self.kind == "signature":
            return f"signature {self.verifier.__name__ if self.verifier else '?'}"
        return self.kind.replace("_", " ")


#: everybody, strangers included
public = Policy("public")
#: whoever has signed in
signed_in = Policy("signed_in")


def requires(permission: str, *, reason: str = "") -> Policy:
    """Signed in and with this permission."""
    return Policy("permission", permission=permission, reason=reason)


def signature(verifier: SignatureVerifier, *, reason: str = "") -> Policy:
    """Nobody signed in; the body carries a signature that `verifier` checks."""
    return Policy("signature", verifier=verifier, reason=reason)
