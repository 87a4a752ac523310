"""The cable of one process: who is connected, what belongs to all of them, and the end of it."""

from __future__ import annotations

import os
import random
import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from jiki_core.cable import metrics, protocol
from jiki_core.cable.connection import Connection
from jiki_core.cable.control import RemoteDisconnect
from jiki_core.cable.dispatch import Dispatcher
from jiki_core.cable.framing import text_frame
from jiki_core.cable.hub import Hub
from jiki_core.cable.presence import Presence
from jiki_core.cable.protocol import DisconnectReason
from jiki_core.cable.services import CableServices, Refused
from jiki_core.cable.sessions import SESSION_SECONDS, keep_sessions
from jiki_core.cable.streams import StreamLog
from jiki_core.cable.subscription import Subscription
from jiki_core.cable.timers import Errands, Timers
from jiki_core.cable.transport import Transport
from jiki_core.cable.valkey import Valkey, ValkeyUnavailable
from jiki_core.errors import DomainError, Unavailable
from jiki_core.observability import get_logger

if TYPE_CHECKING:
    from jiki_core.security import Identity

log = get_logger(__name__)
#: how often resumed plugins are looked for
_WATCH_SECONDS = 0.5
#: when a new socket's identity is looked at once more: what is known of sessions may be a second old
_BELATED_SECONDS = 1.1
#: when a check that met an outage goes on
_AGAIN_SECONDS = 5.0
#: batch of socket ids told to Valkey at once
_BATCH = 500


class CableServer:
    """Made once per app, before any fork; starts its threads with the first socket of a process."""

    def __init__(self, services: CableServices, *, has_threads: bool = True) -> None:
        """Without threads (tests of the protocol), whoever holds it runs `timers` and `errands`."""
        self.services = services
        self.timers = Timers(services.clock, has_thread=has_threads)
        self.errands = Errands(has_thread=has_threads)
        self.valkey = Valkey(services.redis_url)
        self.presence = Presence(services.limits.presence_seconds)
        self.dispatcher = Dispatcher(services)
        self.hub = Hub(
            self.valkey,
            StreamLog(services.limits.log),
            is_paused=services.is_paused,
            on_disconnect=self._disconnect,
            on_return=lambda: self.errands.submit(self._recheck),
        )
        self.is_draining = False
        self._lock = threading.Lock()
        self._places = 0
        self._connections: dict[str, Connection] = {}
        self._of_user: dict[int, set[Connection]] = defaultdict(set)
        self._silenced: set[Subscription] = set()
        self._process: int | None = None

    def start(self) -> None:
        """Begins what a process with sockets needs; safe to call often, but only after the fork."""
        with self._lock:
            if self._process == os.getpid():
                return
            self._process = os.getpid()
        self.hub.start()
        self.timers.call_later(_WATCH_SECONDS, self._watch_pauses)
        self.timers.call_later(self.services.limits.presence_seconds / 3, self._watch_presence)
        self.timers.call_later(SESSION_SECONDS / 3, self._watch_sessions)

    def stop(self) -> None:
        """Ends its threads and connections, for who outlives the cable: tests and tools."""
        self.timers.stop()
        self.errands.stop()
        self.hub.stop()

    def take_place(self) -> bool:
        """Reserves room for one more socket, before its upgrade; False when full or draining."""
        with self._lock:
            if self.is_draining or self._places >= self.services.limits.max_connections:
                return False
            self._places += 1
            return True

    def give_place_back(self) -> None:
        with self._lock:
            self._places -= 1

    @property
    def connection_count(self) -> int:
        """Sockets that are welcome now."""
        return len(self._connections)

    def serve(self, transport: Transport) -> None:
        """Finds out who it is and speaks with them until the end. Runs in the socket's own thread."""
        self.start()
        try:
            identity = self._authenticate(transport)
            if identity is None:
                metrics.REFUSED.labels("gone").inc()
                return
            if isinstance(identity, Refused):
                self._refuse(transport, identity.reason)
                return
            connection = Connection(self, transport, identity, secrets.token_urlsafe(16))
        except Exception:
            self._fail(transport)
            return
        self._register(connection)
        try:
            self._converse(connection)
        finally:
            self._unregister(connection)

    def _authenticate(self, transport: Transport) -> Identity | Refused | None:
        """Who it is; None when nobody is there any more."""
        try:
            return self._ask_who(transport)
        except Exception as error:
            if isinstance(error, Unavailable) or self.services.is_outage(error):
                # what broke may have been one connection that nobody had used for a while
                return self._ask_who(transport)
            raise

    def _ask_who(self, transport: Transport) -> Identity | Refused | None:
        try:
            with self.dispatcher.turn(None):
                if transport.is_gone:  # it did not wait for its turn, and is back in the queue perhaps
                    return None
                return self.services.authenticate(transport.environ)
        except DomainError as error:
            if error.status in (401, 403):
                return Refused()
            raise

    def _converse(self, connection: Connection) -> None:
        if self.is_draining:
            self._restart(connection)
            return
        # A revocation finds this socket from now on, but what we were told may be a second old: once more when it is not.
        self._check_later([connection], _BELATED_SECONDS)
        connection.converse()

    def drain(self, seconds: float) -> None:
        """Before the process ends: no new sockets, and the open ones are sent away over `seconds`, so that
        they do not all come back at once. Returns at once."""
        with self._lock:
            self.is_draining = True
            connections = list(self._connections.values())
        log.info("cable_draining", connections=len(connections))
        for connection in connections:
            self.timers.call_later(random.uniform(0, seconds), self._restarting(connection))

    def remember_silenced(self, subscription: Subscription) -> None:
        """It has messages waiting for its plugin to be resumed. Never waits."""
        self._silenced.add(subscription)

    def _register(self, connection: Connection) -> None:
        with self._lock:
            self._connections[connection.sid] = connection
            self._of_user[connection.identity.user_id].add(connection)
        metrics.CONNECTIONS.labels(connection.dialect).inc()

    def _unregister(self, connection: Connection) -> None:
        user_id = connection.identity.user_id
        with self._lock:
            del self._connections[connection.sid]
            self._of_user[user_id].discard(connection)
            if not self._of_user[user_id]:
                del self._of_user[user_id]
        metrics.CONNECTIONS.labels(connection.dialect).dec()

    @staticmethod
    def _refuse(transport: Transport, reason: DisconnectReason) -> None:
        metrics.REFUSED.labels(reason).inc()
        farewell = text_frame(protocol.disconnect(reason, reconnect=False))
        transport.close(1000, "Auth Failed", farewell)

    @staticmethod
    def _fail(transport: Transport) -> None:
        """Nobody could say who it is: its client tries again."""
        metrics.REFUSED.labels("error").inc()
        log.exception("cable_authentication_failed")
        transport.close(1011, "Auth Error")

    @staticmethod
    def _restart(connection: Connection) -> None:
        connection.disconnect(DisconnectReason.SERVER_RESTART, reconnect=True, code=1001, text="Server restart")

    def _restarting(self, connection: Connection) -> Callable[[], None]:
        return lambda: self._restart(connection)

    def _is_current(self, identity: Identity) -> bool:
        with self.dispatcher.turn(identity):
            return self.services.is_current(identity)

    def _disconnect(self, command: RemoteDisconnect) -> None:
        """A control message from any process. Called by the hub's thread."""
        with self._lock:
            found = [
                connection
                for connection in self._of_user.get(command.user_id, ())
                if command.session_id in (None, connection.identity.session_id)
            ]
        for connection in found:
            connection.disconnect(DisconnectReason.REMOTE, reconnect=command.reconnect, text="Closed remotely")

    def _recheck(self) -> None:
        """Control messages may have been missed while Valkey was away: everybody is checked once."""
        self._check(self._all())

    def _check_later(self, connections: Sequence[Connection], seconds: float) -> None:
        self.timers.call_later(seconds, lambda: self.errands.submit(lambda: self._check(connections)))

    def _check(self, connections: Sequence[Connection]) -> None:
        """Ends those whose identity holds no longer."""
        for done, connection in enumerate(connections):
            if not connection.is_open:
                continue
            try:
                is_current = self._is_current(connection.identity)
            except Exception as error:
                # nobody is thrown out because the database is away; the rest is asked again
                log.warning("cable_recheck_failed", error=type(error).__name__)
                self._check_later(connections[done:], _AGAIN_SECONDS)
                return
            if not is_current:
                connection.disconnect(DisconnectReason.REMOTE, reconnect=False, text="Closed remotely")

    def _watch_pauses(self) -> None:
        for subscription in list(self._silenced):
            if not self.services.is_paused(subscription.plugin):
                self._silenced.discard(subscription)
                self.errands.submit(partial(self._resume, subscription))
        self.timers.call_later(_WATCH_SECONDS, self._watch_pauses)

    def _resume(self, subscription: Subscription) -> None:
        if not subscription.resume():
            self.remember_silenced(subscription)

    def _watch_presence(self) -> None:
        self.errands.submit(self._stay_present)
        self.timers.call_later(self.services.limits.presence_seconds / 3, self._watch_presence)

    def _stay_present(self) -> None:
        by_stream: dict[str, list[str]] = defaultdict(list)
        for connection in self._all():
            for stream in connection.presence_streams():
                by_stream[stream].append(connection.sid)
        try:
            for stream, sids in by_stream.items():
                for start in range(0, len(sids), _BATCH):
                    batch = sids[start : start + _BATCH]
                    self.valkey.call(self.presence.stay, stream, batch)
        except ValkeyUnavailable:
            pass  # the next round is soon

    def _watch_sessions(self) -> None:
        self.errands.submit(self._keep_sessions)
        self.timers.call_later(SESSION_SECONDS / 3, self._watch_sessions)

    def _keep_sessions(self) -> None:
        sids = [connection.sid for connection in self._all()]
        try:
            for start in range(0, len(sids), _BATCH):
                batch = sids[start : start + _BATCH]
                self.valkey.call(keep_sessions, batch)
        except ValkeyUnavailable:
            pass  # the next round comes before they run out

    def _all(self) -> list[Connection]:
        with self._lock:
            return list(self._connections.values())
