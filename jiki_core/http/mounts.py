"""Mounts: where a plugin's blueprint hangs, who may call it by default, and what the app-level guard knows of each endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from jiki_core.errors import DomainError
from jiki_core.security import Policy, public, requires, signed_in

if TYPE_CHECKING:
    from jiki_core.http.blueprint import Blueprint, RouteRecord

Audience = Literal["auth", "external", "internal", "admin", "webhooks"]
Body = Literal["json", "multipart", "raw"]

#: the default policy of each audience; webhooks have none, each route names its verifier (architecture.md section 3)
DEFAULT_POLICIES: Mapping[str, Policy | None] = {
    "auth": public,
    "external": public,
    "internal": signed_in,
    "admin": requires("core.administer"),
    "webhooks": None,
}


@dataclass(frozen=True)
class Mount:
    """A blueprint under `/api/<version>/<audience>` + its own prefix."""

    blueprint: Blueprint
    audience: Audience = "internal"
    version: str = "v1"

    @property
    def prefix(self) -> str:
        return f"/api/{self.version}/{self.audience}{self.blueprint.url_prefix or ''}"

    def name_for(self, plugin: str) -> str:
        """The blueprint's name in the app: `<plugin>_<name>`; audiences keep same-named ones apart."""
        return f"{plugin}_{self.audience}_{self.blueprint.name}"

    def policy_of(self, route: RouteRecord) -> Policy | None:
        """The route's own policy, else the audience's."""
        return route.policy or DEFAULT_POLICIES[self.audience]

    def mistakes(self) -> list[str]:
        """Routes that nobody guards."""
        if self.audience not in DEFAULT_POLICIES:
            return [f"audience {self.audience!r} is none of {', '.join(DEFAULT_POLICIES)}"]
        return [
            f"the route {'/'.join(sorted(route.methods))} {self.prefix}{route.rule} has no policy; "
            f"put @policy(...) on {route.function_name}"
            for route in self.blueprint.routes
            if self.policy_of(route) is None
        ]

    def segments(self) -> Iterator[str]:
        """The first path segments after the audience, e.g. `internal/lessons`."""
        for route in self.blueprint.routes:
            path = f"{self.blueprint.url_prefix or ''}{route.rule}".strip("/")
            yield f"{self.audience}/{path.split('/', 1)[0]}"

    def endpoints(self, plugin: str) -> Iterator[tuple[str, Mounted]]:
        """(endpoint, what guards it) of each route."""
        for route in self.blueprint.routes:
            guard = self.policy_of(route)
            assert guard is not None, "mistakes() was not asked"
            yield (
                f"{self.name_for(plugin)}.{route.endpoint}",
                Mounted(plugin, self.audience, guard, route.body, route.raises, route.body_limit),
            )


@dataclass(frozen=True)
class Mounted:
    """What the guard and the error handler know of an endpoint."""

    plugin: str
    audience: Audience | Literal["core"]
    policy: Policy
    body: Body = "json"
    #: errors with another status, or status and symbol, at this door
    raises: Mapping[type[DomainError], int | tuple[int, str]] = field(default_factory=dict)
    #: largest body, where it is not the installation's `max_body_bytes`
    body_limit: int | None = None

    @property
    def has_meta(self) -> bool:
        """Whether its JSON objects carry `meta.events` (contract.md section 1)."""
        return self.audience not in ("admin", "webhooks")


def overlapping_segments(mounts: Sequence[tuple[str, Mount]]) -> list[tuple[str, str, str]]:
    """(first owner, second owner, segment) of each first path segment that two plugins claim."""
    owners: dict[str, str] = {}
    return [
        (owner, plugin, segment)
        for plugin, mount in mounts
        for segment in dict.fromkeys(mount.segments())
        if (owner := owners.setdefault(segment, plugin)) != plugin
    ]
