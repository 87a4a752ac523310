"""The core's own settings and the selection of plugins: what `[core]` and `[plugins]` of jiki.toml may say."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from jiki_core.settings import ConfigurationError, Loaded, Mistake, Secret, Sources, load_section, setting

DEVELOPMENT_SECRET = "development-only-secret-never-used-in-production"
ENVIRONMENTS = ("development", "test", "production")
_DEVELOPMENT_ORIGINS = ("http://localhost:3061", "http://local.jiki.io:3061")
_LOOPBACK = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True)
class CoreSettings:
    """What an operator may set for the core itself."""

    env: str = setting("production", help="Kind of installation", choices=ENVIRONMENTS)
    safe_mode: bool = setting(False, help="Load the core and required plugins only")
    secret_key: Secret = setting(
        Secret(DEVELOPMENT_SECRET),
        help="Signs tokens and links; at least 32 characters",
        example="the output of: python -c 'import secrets; print(secrets.token_urlsafe(48))'",
    )
    database_url: Secret = setting(
        Secret(""),
        env="DATABASE_URL",
        help="PostgreSQL",
        example="postgresql://jiki:…@db.internal/jiki_production",
    )
    redis_url: Secret = setting(
        Secret(""), env="REDIS_URL", help="Valkey or Redis", example="redis://cache.internal:6379/0"
    )
    data_dir: Path = setting(Path(".jiki"), help="Where development keeps its state and files")
    public_url: str = setting("http://localhost:3060", help="Origin of this service", example="https://api.jiki.io")
    frontend_url: str = setting("http://localhost:3061", help="Origin of the web client; mails link to it")
    cors_origins: tuple[str, ...] = setting(
        (), help="Origins whose pages may call us; empty in development means the two usual ones"
    )
    trusted_proxies: tuple[str, ...] = setting(
        (),
        help="Networks whose CF-* and X-Forwarded-* headers are believed; empty in development means loopback",
        example="10.0.0.0/8",
    )
    cookie_domain: str = setting("", help="Parent domain of the presence cookie; derived from the host when empty")
    max_body_bytes: int = setting(4_194_304, help="Largest request body", minimum=65_536)
    database_pool_size: int = setting(5, help="Database connections per process", minimum=1, maximum=100)
    statement_timeout_ms: int = setting(15_000, help="Longest statement of a request or job", minimum=100)
    mail_smtp_url: Secret = setting(
        Secret("smtp://127.0.0.1:1025"),
        help="Where mail is handed over",
        example="smtp://user:…@mail.internal:587",
    )
    mail_from: str = setting("Jiki <hello@mail.jiki.io>", help="Sender of transactional mail")
    mail_from_notifications: str = setting("", help="Sender of notifications; the transactional one when empty")
    mail_from_marketing: str = setting("", help="Sender of marketing; the transactional one when empty")
    mail_transport: str = setting("smtp", help="How mail is handed over", choices=("smtp", "ses"))
    mail_dedupe_days: int = setting(90, help="How long a mail's dedupe key is remembered", minimum=1)
    ses_region: str = setting("", help="AWS region of SES; the SDK's own default when empty", example="eu-central-1")
    ses_endpoint_url: str = setting("", help="Where SES v2 answers, when it is not AWS itself")
    storage_service: str = setting("disk", help="Where new files are kept", choices=("disk", "s3"))
    storage_dir: str = setting("", help="Folder of files on the disk; empty = files in the data directory")
    files_url: str = setting(
        "", help="Origin under which browsers reach /files; public_url when empty", example="https://files.jiki.io"
    )
    storage_s3_bucket: str = setting("", help="Bucket of files; also needed to read those kept there before")
    storage_s3_region: str = setting("", help="AWS region of the bucket; the SDK's own default when empty")
    storage_s3_endpoint_url: str = setting("", help="Where S3 answers, when it is not AWS itself")
    storage_s3_timeout_seconds: float = setting(8.0, help="How long S3 may be silent before we give up", minimum=0.1)
    storage_public_url: str = setting(
        "", help="CDN in front of the bucket; the bucket itself when empty", example="https://files.jiki.io"
    )
    storage_link_seconds: int = setting(300, help="How long a download link works", minimum=10, maximum=604_800)
    upload_ticket_seconds: int = setting(1_800, help="Time from a ticket to its file's use", minimum=60, maximum=86_400)
    storage_orphan_hours: int = setting(24, help="How old an object is before the sweep may miss its row", minimum=1)
    ses_configuration_sets: tuple[str, ...] = setting(
        (),
        help="SES configuration sets of transactional mail, notifications and marketing, in this order",
        example="transactional,notifications,marketing",
    )
    job_lease_seconds: float = setting(
        30.0, help="How long a worker may be silent before its job is given to another", minimum=3
    )
    outbox_retention_days: int = setting(7, help="How long finished jobs and events are kept", minimum=1)
    notification_retention_days: int = setting(180, help="How long notifications are kept", minimum=1)
    idempotency_ttl_hours: int = setting(24, help="How long an Idempotency-Key is remembered", minimum=1)
    anonymous_requests_per_minute: int = setting(
        0,
        help="Requests of one network without sign-in; 0 = 300, and a hundred times that outside production",
        minimum=0,
    )
    read_requests_per_minute: int = setting(
        0, help="Reads of one user; 0 = 300, and a hundred times that outside production", minimum=0
    )
    write_requests_per_minute: int = setting(
        0, help="Writes of one user; 0 = 120, and a hundred times that outside production", minimum=0
    )
    auth_requests_per_minute: int = setting(
        0, help="Calls of /auth from one network; 0 = 60, and a hundred times that outside production", minimum=0
    )
    expensive_requests_per_minute: int = setting(
        0, help="Costly calls of one user; 0 = 20, and a hundred times that outside production", minimum=0
    )
    log_level: str = setting("INFO", help="Least severe level logged", choices=("DEBUG", "INFO", "WARNING", "ERROR"))
    log_format: str = setting("json", help="One JSON object a line, or text for people", choices=("json", "console"))
    cable_max_connections: int = setting(5_000, help="Sockets one process holds", minimum=1)
    cable_secret: Secret = setting(
        Secret(""), help="Signs cable tokens and stream names; set it to share it with AnyCable, else derived"
    )
    cable_anycable: str = setting(
        "",
        help="How an AnyCable server in front listens (its broadcast adapter); empty = our own cable",
        choices=("", "redis", "redisx"),
    )
    operations_token: Secret = setting(
        Secret(""), help="Bearer token that opens /metrics, /-/plugins and the details of readiness"
    )

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def is_development(self) -> bool:
        return self.env == "development"

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """Origins of pages that may call us with credentials, our own and the front-end's included."""
        listed = self.cors_origins or (() if self.is_production else _DEVELOPMENT_ORIGINS)
        return tuple(dict.fromkeys((*listed, origin_of(self.frontend_url), origin_of(self.public_url))))

    @property
    def cable_key(self) -> str:
        """Key of cable tokens and signed streams."""
        return self.cable_secret.reveal() or derived_key(self, "cable").hex()

    @property
    def trusted_networks(self) -> tuple[str, ...]:
        return self.trusted_proxies or (() if self.is_production else _LOOPBACK)

    @property
    def sqlalchemy_url(self) -> str:
        """The database's URL with psycopg 3 named as the driver."""
        url = self.database_url.reveal() or "postgresql://"
        for prefix in ("postgres://", "postgresql://"):
            if url.startswith(prefix):
                return "postgresql+psycopg://" + url.removeprefix(prefix)
        return url

    def mistakes(self) -> Iterator[Mistake]:
        """What types alone cannot say; called by `load_section`."""
        for name, value in (("public_url", self.public_url), ("frontend_url", self.frontend_url)):
            if urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc:
                yield Mistake(f"JIKI_{name.upper()}", "must be an http or https origin", "https://api.jiki.io")
        for network in self.trusted_proxies:
            try:
                ipaddress.ip_network(network)
            except ValueError:
                yield Mistake("JIKI_TRUSTED_PROXIES", "must be networks in CIDR notation", "10.0.0.0/8")
        if self.database_url and not self.sqlalchemy_url.startswith("postgresql+psycopg://"):
            yield Mistake("DATABASE_URL", "must name PostgreSQL, the only database", "postgresql://host/name")
        if len(self.ses_configuration_sets) not in (0, 3):
            yield Mistake(
                "JIKI_SES_CONFIGURATION_SETS", "must name three sets, or none", "mail,notifications,marketing"
            )
        if self.storage_s3_bucket and find_spec("boto3") is None:
            yield Mistake("JIKI_STORAGE_S3_BUCKET", "needs boto3, which is not installed", "pip install jiki-core[aws]")
        if self.storage_service == "s3" and not self.storage_s3_bucket:
            yield Mistake("JIKI_STORAGE_S3_BUCKET", "is required when files are kept in S3", "jiki-files-production")
        for name, value in (("storage_public_url", self.storage_public_url), ("files_url", self.files_url)):
            if value and urlsplit(value).scheme not in ("http", "https"):
                yield Mistake(f"JIKI_{name.upper()}", "must be an http or https URL", "https://files.jiki.io")
        if self.is_production:
            if self.secret_key.reveal() == DEVELOPMENT_SECRET:
                yield Mistake("JIKI_SECRET_KEY", "is required in production", "a random text of 48 characters")
            elif len(self.secret_key.reveal()) < 32:
                yield Mistake("JIKI_SECRET_KEY", "must have at least 32 characters")
            for name, value in (("public_url", self.public_url), ("frontend_url", self.frontend_url)):
                if urlsplit(value).scheme != "https":
                    yield Mistake(f"JIKI_{name.upper()}", "must be https in production", "https://api.jiki.io")

    def missing_services(self) -> Iterator[Mistake]:
        """What a serving process cannot do without; maintenance commands may run with both away."""
        if not self.database_url:
            yield Mistake("DATABASE_URL", "is required", "postgresql://jiki:…@db.internal/jiki_production")
        if not self.redis_url:
            yield Mistake("REDIS_URL", "is required", "redis://cache.internal:6379/0")


def origin_of(url: str) -> str:
    """`scheme://host[:port]` of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True)
class PluginSelection:
    """`[plugins]`: which plugins are listed, and without which of them a serving process must not start.

    What the names mean is for the host to say, which knows what is installed.
    """

    enabled: tuple[str, ...] = setting((), help="Plugins to load", example='["auth", "learning"]')
    required: tuple[str, ...] = setting((), help="Plugins without which serving processes refuse to start")


@dataclass(frozen=True)
class Configuration:
    """The whole configuration of one process, before plugins add their sections."""

    core: CoreSettings
    selection: PluginSelection
    sources: Sources
    loaded: tuple[Loaded, ...]


def read_configuration(sources: Sources | None = None) -> Configuration:
    """Reads `[core]` and `[plugins]`; raises ConfigurationError with every mistake found."""
    sources = sources or Sources.read()
    core = load_section(CoreSettings, "core", sources)
    selection = load_section(PluginSelection, "plugins", sources)
    mistakes = (*core.mistakes, *selection.mistakes)
    if mistakes:
        raise ConfigurationError(mistakes)
    return Configuration(core.instance, selection.instance, sources, (core, selection))


def derived_key(settings: CoreSettings, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose, so that no two uses share the secret itself (HKDF-like, RFC 5869)."""
    return hmac.digest(settings.secret_key.reveal().encode(), f"jiki/{purpose}".encode(), hashlib.sha256)


def random_token(bytes_of_entropy: int = 32) -> str:
    return secrets.token_urlsafe(bytes_of_entropy)
