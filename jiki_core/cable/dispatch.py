"""Calling a channel's code: one's turn, a fresh app context and unit of work per command, and failures that hurt
only their channel."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jiki_core.cable import metrics
from jiki_core.cable.channel import Channel, Effects
from jiki_core.cable.registry import Registered
from jiki_core.cable.services import CableServices
from jiki_core.errors import DomainError, PluginPaused, Unavailable
from jiki_core.observability import get_logger
from jiki_core.observability.request_ids import bind_request_id

if TYPE_CHECKING:
    from jiki_core.security import Identity

log = get_logger(__name__)
#: when somebody may try a suspended channel again; an operator decides
_SUSPENDED_SECONDS = 30


class ChannelFailed(Exception):
    """The channel's code raised; it is logged and counted already."""


class Dispatcher:
    """Runs methods of channels for one app."""

    def __init__(self, services: CableServices) -> None:
        self._services = services
        self._turns = threading.BoundedSemaphore(services.limits.max_at_work)

    @contextmanager
    def turn(self, identity: Identity | None) -> Iterator[None]:
        """An app context for `identity`, once fewer than `max_at_work` others have one. Does not nest."""
        with self._turns, self._services.app_context(identity):
            yield

    def is_authorized(self, registered: Registered, identity: Identity) -> bool:
        """Whether the channel's permission lets them in. Raises Unavailable when that cannot be said: an error lets nobody
        in, but it is no decision, and a rejection is final (realtime.md 1.4)."""
        permission = registered.channel.permission
        if permission is None:
            return True
        try:
            with self.turn(identity):
                return self._services.authorize(identity, permission)
        except Exception as error:
            if not self._services.is_outage(error):
                self._count_failure(registered, "authorize")
            raise Unavailable() from error

    def call(self, registered: Registered, channel: Channel, what: str, method: Callable[[], None]) -> Effects:
        """Runs `method` and commits. Returns what it asked for, which is still to be done.

        Raises DomainError as the channel did (rolled back), PluginPaused when it is suspended for failing too often,
        Unavailable when the database is away, ChannelFailed for anything else.
        """
        name = registered.channel.name
        if self._services.suspension_of(name) is not None:
            raise PluginPaused(retry_after_seconds=_SUSPENDED_SECONDS)
        bind_request_id(uuid.uuid4().hex)
        try:
            with (
                self.turn(channel.identity),
                metrics.COMMAND_SECONDS.labels(registered.plugin, registered.channel.name).time(),
            ):
                effects = self._services.run_in_unit(lambda uow: channel.run(uow, method))
            self._services.note_outcome(registered.plugin, name, None)
            return effects
        except DomainError:
            raise
        except Exception as error:
            if self._services.is_outage(error):
                log.warning("channel_without_database", channel=name, error=type(error).__name__)
                raise Unavailable() from error
            self._count_failure(registered, what)
            self._services.note_outcome(registered.plugin, name, error)
            raise ChannelFailed(what) from error
        finally:
            bind_request_id(None)

    @staticmethod
    def _count_failure(registered: Registered, what: str) -> None:
        metrics.FAILURES.labels(registered.plugin, registered.channel.name).inc()
        log.exception("channel_failed", plugin=registered.plugin, channel=registered.channel.name, method=what)
