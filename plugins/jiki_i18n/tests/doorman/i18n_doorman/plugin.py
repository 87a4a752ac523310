"""A plugin for tests: whoever sends `X-Doorman: <user id> <role>…` is that user. i18n requires no auth, so its tests don't.

It also keeps texts of its own that want translating.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Request

from jiki_core.contracts import Provider, TranslatableTexts
from jiki_core.plugins import Plugin, hookimpl
from jiki_core.runtime import runtime
from jiki_core.security import Identity
from jiki_core.security.permissions import permissions_of


class DoorSigns:
    """Answers `TranslatableTexts` with what a test puts into `signs`."""

    def texts(self) -> Mapping[str, Mapping[str, str]]:
        return {"doorman": signs} if signs else {}


signs: dict[str, str] = {}


class DoormanPlugin(Plugin):
    name = "doorman"
    uses = ("i18n>=1.0",)

    @hookimpl
    def jiki_providers(self) -> Sequence[Provider]:
        return [Provider(TranslatableTexts, DoorSigns)]

    @hookimpl
    def jiki_authenticate(self, request: Request) -> Identity | None:
        given = request.headers.get("X-Doorman")
        if given is None:
            return None
        user_id, *roles = given.split()
        held = frozenset(roles)
        return Identity(
            user_id=int(user_id),
            method="session",
            roles=held,
            permissions=permissions_of(held, dict(runtime().permissions)),
        )

    @hookimpl
    def jiki_authorize(self, identity: Identity, permission: str, resource: object) -> bool | None:
        return True if permission in identity.permissions else None


plugin = DoormanPlugin()
