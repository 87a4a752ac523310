"""What an operator may set for auth: `[auth]` in jiki.toml, `JIKI_AUTH_…` in the environment."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from jiki_core.configuration import derived_key
from jiki_core.runtime import runtime
from jiki_core.security import SealingKeys
from jiki_core.settings import Mistake, Secret, setting


@dataclass(frozen=True)
class AuthSettings:
    access_token_ttl_seconds: int = setting(900, help="Life of an access token", minimum=60, maximum=900)
    access_token_algorithm: str = setting(
        "HS256", help="How access tokens are signed; EdDSA lets others verify them", choices=("HS256", "EdDSA")
    )
    session_ttl_days: int = setting(30, help="Days without use after which a session ends", minimum=1, maximum=90)
    session_absolute_days: int = setting(90, help="Days after which a session ends in any case", minimum=1, maximum=365)
    confirmation_ttl_days: int = setting(7, help="Life of a confirmation link", minimum=1, maximum=30)
    password_reset_ttl_hours: int = setting(6, help="Life of a password reset link", minimum=1, maximum=48)
    argon2_memory_kib: int = setting(19_456, help="Memory of a password hash (OWASP's floor: 19 MiB)", minimum=8)
    argon2_iterations: int = setting(2, help="Passes of a password hash", minimum=1)
    hash_concurrency: int = setting(2, help="Password hashes computed at once by one process", minimum=1, maximum=64)
    hash_waiting: int = setting(
        2, help="Requests of one process that may wait for their hash; others get 503 and come again", minimum=0
    )
    recent_sign_in_minutes: int = setting(10, help="How young a sign-in must be for account security", minimum=1)
    sign_ups_per_address_per_hour: int = setting(
        60, help="New accounts from one address; a class shares one", minimum=1
    )
    encryption_keys: Secret = setting(
        Secret(""),
        help="Keys of what is encrypted at rest: 32 bytes in base64 each, newest first, blanks between; else derived",
    )
    turnstile_secret: Secret = setting(Secret(""), help="Secret of the captcha; without one every answer passes")
    turnstile_url: str = setting(
        "https://challenges.cloudflare.com/turnstile/v0/siteverify", help="Where captcha answers are verified"
    )
    google_client_id: str = setting("", help="Client id of Google sign-in; empty turns it off")
    google_client_secret: Secret = setting(Secret(""), help="Client secret of Google sign-in")
    google_redirect_uri: str = setting("postmessage", help="Redirect URI of the code; the web client's popup uses this")
    google_issuer: str = setting("https://accounts.google.com", help="Issuer of Google's id tokens")
    google_token_url: str = setting("https://oauth2.googleapis.com/token", help="Where codes are exchanged")
    google_picture_origins: tuple[str, ...] = setting(
        ("https://*.googleusercontent.com",),
        help="Where pictures of Google accounts may be fetched from; `*` is one label, empty means nowhere",
    )
    google_jwks_url: str = setting("https://www.googleapis.com/oauth2/v3/certs", help="Google's signing keys")
    ses_topic_arns: tuple[str, ...] = setting(
        (),
        help="SNS topics whose bounces and complaints are believed; empty means none",
        example="arn:aws:sns:eu-west-1:123456789012:ses",
    )
    leak_report_keys_url: str = setting(
        "",
        help="Published keys of the scanner whose reports of leaked API keys are believed; empty means none",
        example="https://api.github.com/meta/public_keys/secret_scanning",
    )
    sns_certificate_hosts: tuple[str, ...] = setting(
        ("sns.*.amazonaws.com", "sns.*.amazonaws.com.cn"),
        help="Hosts of signing certificates and subscription links; `*` is one label",
    )
    sns_ca_file: str = setting("", help="Certificate authorities of those hosts, as PEM; empty means the system's")

    def mistakes(self) -> Iterator[Mistake]:
        """What types alone cannot say."""
        for text in self.encryption_keys.reveal().split():
            if len(_decoded(text)) != 32:
                yield Mistake("JIKI_AUTH_ENCRYPTION_KEYS", "must be keys of 32 bytes in base64, blanks between them")
        if self.google_client_id and not self.google_client_secret:
            yield Mistake("JIKI_AUTH_GOOGLE_CLIENT_SECRET", "is required when google_client_id is set")

    def sealing_keys(self) -> SealingKeys:
        """Keys of authenticator seeds and signing keys; the one derived from the core's secret always opens."""
        own = [_decoded(text) for text in self.encryption_keys.reveal().split()]
        return SealingKeys((*own, derived_key(runtime().settings, "auth-at-rest")))


def auth_settings() -> AuthSettings:
    """The settings of the current app."""
    return cast(AuthSettings, runtime().plugin_settings["auth"])


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
