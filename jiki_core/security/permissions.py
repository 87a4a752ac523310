"""Permissions and roles, contributed by plugins; nothing is allowed that nobody declared."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_.]*")


@dataclass(frozen=True)
class Permission:
    """`name` is "<plugin>.<act>"; `roles` name the roles that have it from the start."""

    name: str
    summary: str
    roles: tuple[str, ...] = ()

    def mistakes(self, plugin: str) -> list[str]:
        if not _NAME.fullmatch(self.name) or not self.name.startswith(f"{plugin}."):
            return [f"permission {self.name!r} must be named '{plugin}.<act>'"]
        return []


@dataclass(frozen=True)
class Role:
    """A named set of permissions that users are given. `is_default` roles belong to everybody who is signed in."""

    name: str
    summary: str
    is_default: bool = False


def permissions_of(roles: frozenset[str], permissions: dict[str, Permission]) -> frozenset[str]:
    """What a set of roles may do."""
    return frozenset(name for name, permission in permissions.items() if roles & set(permission.roles))
