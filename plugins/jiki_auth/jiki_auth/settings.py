"""What an operator may set for auth: `[auth]` in jiki.toml, `JIKI_AUTH_…` in the environment."""

from __future__ import annotations

from dataclasses import dataclass

from jiki_core.settings import setting


@dataclass(frozen=True)
class AuthSettings:
    access_token_ttl_seconds: int = setting(900, help="Life of an access token", minimum=60, maximum=900)
    session_ttl_days: int = setting(30, help="Days without use after which a session ends", minimum=1, maximum=90)
    session_absolute_days: int = setting(90, help="Days after which a session ends in any case", minimum=1, maximum=365)
    confirmation_ttl_days: int = setting(7, help="Life of a confirmation link", minimum=1, maximum=30)
    argon2_memory_kib: int = setting(19_456, help="Memory of a password hash (OWASP's floor: 19 MiB)", minimum=8)
    argon2_iterations: int = setting(2, help="Passes of a password hash", minimum=1)
