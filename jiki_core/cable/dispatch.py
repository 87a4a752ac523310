"""Calling a channel's code: a fresh app context and unit of work per command, and failures that hurt only
their channel."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from jiki_core.cable import metrics
from jiki_core.cable.channel import Channel, Effects
from jiki_core.cable.registry import Registered
from jiki_core.cable.services import CableServices
from jiki_core.errors import DomainError
from jiki_core.observability import get_logger
from jiki_core.observability.request_ids import bind_request_id

if TYPE_CHECKING:
    from jiki_core.security import Identity

log = get_logger(__name__)


class ChannelFailed(Exception):
    """The channel's code raised; it is logged and counted already."""


class Dispatcher:
    """Runs methods of channels for one app."""

    def __init__(self, services: CableServices) -> None:
        self._services = services

    def is_authorized(self, registered: Registered, identity: Identity) -> bool:
        """Whether the channel's permission lets them in. An error is a no."""
        permission = registered.channel.permission
        if permission is None:
            return True
        try:
            with self._services.app_context(identity):
                return self._services.authorize(identity, permission)
        except Exception:
            self._count_failure(registered, "authorize")
            return False

    def call(self, registered: Registered, channel: Channel, what: str, method: Callable[[], None]) -> Effects:
        """Runs `method` and commits. Returns what it asked for, which is still to be done.

        Raises DomainError as the channel did (rolled back), ChannelFailed for anything else.
        """
        bind_request_id(uuid.uuid4().hex)
        try:
            with (
                metrics.COMMAND_SECONDS.labels(registered.plugin, registered.channel.name).time(),
                self._services.app_context(channel.identity),
                self._services.unit_of_work() as uow,
            ):
                return channel.run(uow, method)
        except DomainError:
            raise
        except Exception as error:
            self._count_failure(registered, what)
            raise ChannelFailed(what) from error
        finally:
            bind_request_id(None)

    @staticmethod
    def _count_failure(registered: Registered, what: str) -> None:
        metrics.FAILURES.labels(registered.plugin, registered.channel.name).inc()
        log.exception("channel_failed", plugin=registered.plugin, channel=registered.channel.name, method=what)
