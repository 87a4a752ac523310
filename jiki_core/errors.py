"""Domain errors: nouns that carry data, turned into wire errors in one place (contract.md section 1).

A symbol has one meaning. Two classes may share one only when one is a subclass of the other (the same failure with
another status at another door); `check_symbols` refuses anything else at boot.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


class DomainError(Exception):
    """A refusal that the caller can understand. `extras` become members of the wire's `error` object."""

    #: stable wire symbol, e.g. "lesson_not_unlocked"
    symbol: ClassVar[str]
    #: default HTTP status; a route may declare another with `blp.raises({Error: status})`
    status: ClassVar[int] = 422
    #: whether the wire's body carries `meta` where its audience has it
    has_meta: ClassVar[bool] = True
    #: whether it tells of the moment, so that the same request may well succeed later: no idempotency key keeps it
    is_passing: ClassVar[bool] = False

    def __init__(self, **extras: Any) -> None:
        super().__init__(self.symbol)
        self.extras = extras

    def headers(self) -> Mapping[str, str]:
        """Response headers that belong to the refusal, such as Retry-After."""
        return {}


def all_errors() -> Iterator[type[DomainError]]:
    """Every class of this process that has a symbol of its own."""
    pending = list(DomainError.__subclasses__())
    while pending:
        error = pending.pop()
        pending.extend(error.__subclasses__())
        if getattr(error, "symbol", None):
            yield error


def check_symbols() -> list[str]:
    """Sentences naming symbols that two unrelated classes claim; empty when all is well."""
    owners: dict[str, type[DomainError]] = {}
    clashes: dict[str, None] = {}
    for error in sorted(all_errors(), key=lambda cls: (len(cls.__mro__), cls.__module__, cls.__qualname__)):
        owner = owners.setdefault(error.symbol, error)
        if not issubclass(error, owner):
            clashes[
                f"error symbol {error.symbol!r} has two meanings: {_where(owner)} and {_where(error)}; "
                "make one a subclass of the other, or rename it"
            ] = None
    return list(clashes)


def _where(error: type[DomainError]) -> str:
    return f"{error.__module__}.{error.__qualname__}"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of one field: `{"error": code, "value"?, "count"?}` on the wire."""

    code: str
    value: Any = None
    count: int | None = None

    def as_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"error": self.code}
        if self.value is not None:
            body["value"] = self.value
        if self.count is not None:
            body["count"] = self.count
        return body


class ValidationFailed(DomainError):
    """Fields that break a rule, each with its codes."""

    symbol = "validation_error"
    status = 422

    def __init__(self, errors: Mapping[str, Sequence[FieldError]]) -> None:
        super().__init__(errors={name: [one.as_json() for one in found] for name, found in errors.items()})
        self.errors = dict(errors)


class BadRequest(DomainError):
    """A request that cannot be read: bad JSON, bad encoding, nesting too deep."""

    symbol = "bad_request"
    status = 400


class DuplicateParameter(DomainError):
    symbol = "duplicate_parameter"
    status = 400


class Unauthenticated(DomainError):
    """Nobody is signed in. The only error without `meta` (contract.md 2.1)."""

    symbol = "unauthenticated"
    status = 401
    has_meta = False


class InvalidToken(DomainError):
    """A bearer token or key that was not made by us, is malformed, expired or revoked."""

    symbol = "invalid_token"
    status = 401


class Forbidden(DomainError):
    symbol = "forbidden"
    status = 403


class CsrfFailed(DomainError):
    """An unsafe request with a cookie from a page we do not trust (architecture.md section 7)."""

    symbol = "csrf_failed"
    status = 403


class InsufficientScope(DomainError):
    """An API key that may not do this; `scope` names the permission it lacks."""

    symbol = "insufficient_scope"
    status = 403


class NotFound(DomainError):
    symbol = "not_found"
    status = 404


class MethodNotAllowed(DomainError):
    symbol = "method_not_allowed"
    status = 405


class PayloadTooLarge(DomainError):
    symbol = "payload_too_large"
    status = 413


class UnsupportedMediaType(DomainError):
    symbol = "unsupported_media_type"
    status = 415


class RetryLater(DomainError):
    """Base of refusals that pass with time: each says when to come back."""

    def __init__(self, *, retry_after_seconds: int = 1, **extras: Any) -> None:
        super().__init__(**extras)
        self.retry_after_seconds = retry_after_seconds

    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(self.retry_after_seconds)}


class RateLimited(RetryLater):
    symbol = "rate_limited"
    status = 429


class TooManyAttempts(RetryLater):
    symbol = "too_many_attempts"
    status = 429


class Unavailable(RetryLater):
    """The service, or the part asked for, cannot answer now: a database that is away, a plugin that is not running."""

    symbol = "unavailable"
    status = 503


class PluginPaused(RetryLater):
    symbol = "plugin_paused"
    status = 503


class InternalError(DomainError):
    symbol = "internal_error"
    status = 500


#: errno of a disk, a quota or a limit of the process without room for another byte
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StorageFull(DomainError):
    """A disk of this machine has no room for what was sent; nothing of it was kept."""

    symbol = "storage_full"
    status = 507
