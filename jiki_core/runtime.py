"""What a door needs from above: the plugins' contributions, their states and the hooks, as one frozen value.

`app.py` builds it after the plugins are bound and keeps it on the app, so that no room imports a room above it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from flask import current_app

from jiki_core.configuration import CoreSettings

if TYPE_CHECKING:  # types only: rooms above the ground are never imported from here
    import redis
    from flask import Flask, Request

    from jiki_core.cable import Channel
    from jiki_core.contracts import Contract
    from jiki_core.contracts.binding import BoundProvider
    from jiki_core.events import NotificationKind
    from jiki_core.events.listeners import BoundListener
    from jiki_core.http.mounts import Mounted
    from jiki_core.jobs.job import BoundJob
    from jiki_core.mail.templates import BoundTemplate
    from jiki_core.security import Identity, Permission, Role
    from jiki_core.storage import FileKind

AppRole = Literal["web", "cable", "worker", "scheduler", "maintenance"]
SERVING_ROLES: frozenset[str] = frozenset({"web", "cable", "worker", "scheduler"})


class Publisher(Protocol):
    """Sends a message to a stream's subscribers; `durable_id` makes a repeat harmless. Raises redis.RedisError."""

    def __call__(self, stream: str, message: Mapping[str, Any], *, durable_id: str | None = None) -> object: ...


class Disconnector(Protocol):
    def __call__(self, user_id: int, *, session_id: str | None = None, reconnect: bool = False) -> object: ...


class PluginStates(Protocol):
    """What doors may ask of a plugin's state; "core" is always running."""

    def is_running(self, plugin: str) -> bool:
        """Its routes, jobs and channels answer."""

    def is_paused(self, plugin: str) -> bool:
        """An operator closed its doors for a while."""

    def is_listed(self, plugin: str) -> bool:
        """It is named in the configuration, running or not."""

    def suspension_of(self, name: str) -> str | None:
        """Why a job, listener or channel is held by itself; None when it is not."""

    def note_failure(self, plugin: str, kind: str, name: str, error: str) -> None:
        """A job or listener failed by its own fault; too many in a row suspend it. Outside any unit of work."""

    def note_success(self, name: str) -> None:
        """It worked: failures in a row count from zero again."""

    def is_provider_missing(self, contract: str) -> bool:
        """A listed plugin that could not be loaded here answered `contract` ("<module>.<class>") when it last was."""


@dataclass(frozen=True)
class Runtime:
    """One per app; read-only."""

    role: AppRole
    settings: CoreSettings
    plugins: PluginStates
    #: endpoint -> who owns it and what guards it
    mounted: Mapping[str, Mounted]
    #: stored job name (aliases included) -> job
    jobs: Mapping[str, BoundJob]
    #: job function -> stored job name
    job_names: Mapping[Callable[..., Any], str]
    #: event name -> its listeners, in dependency order
    listeners: Mapping[str, tuple[BoundListener, ...]]
    #: contract -> its providers, in dependency order
    providers: Mapping[type[Contract], tuple[BoundProvider, ...]]
    #: channel name -> (plugin, channel class)
    channels: Mapping[str, tuple[str, type[Channel]]]
    emails: Mapping[str, BoundTemplate]
    permissions: Mapping[str, Permission]
    roles: Mapping[str, Role]
    #: "<plugin>.<kind>" -> how that kind of notification is shown, and whether users may switch it off
    notification_kinds: Mapping[str, NotificationKind]
    #: "<plugin>.<kind>" -> what files of that kind may be
    file_kinds: Mapping[str, FileKind]
    #: first non-None answer of the plugins' `jiki_authenticate`; None = nobody
    authenticate: Callable[[Request], Identity | None]
    #: the vote of `jiki_authorize`: any deny wins, nobody allows = deny, an error = deny
    authorize: Callable[[Identity, str, Any], bool]
    #: settings section -> its instance
    plugin_settings: Mapping[str, Any]
    redis: redis.Redis
    publish: Publisher
    #: ends a user's sockets everywhere, or one session's; raises redis.RedisError
    disconnect: Disconnector


def runtime() -> Runtime:
    """The current app's runtime; raises RuntimeError outside an app context."""
    return runtime_of(current_app)


def runtime_of(app: Flask) -> Runtime:
    """An app's runtime, for code that holds the app and no context."""
    return cast(Runtime, app.extensions["jiki"])
