"""The watcher: one thread per process that keeps pauses and suspensions current and tells that the process is alive.

It looks at one version row every half second on a connection of its own. PostgreSQL gone means the last known state.
"""

from __future__ import annotations

import atexit
import os
import socket
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from jiki_core.observability import gauge, get_logger
from jiki_core.plugins.reasons import Process, disagreements

log = get_logger(__name__)
LOOK_SECONDS = 0.5
HEARTBEAT_SECONDS = 5.0
#: a process that was not seen for so long is taken for gone
GONE_AFTER_SECONDS = 20
_FORGET_AFTER_SECONDS = 3_600

_differing = gauge(
    "jiki_plugin_set_differences", "Points in which living processes differ in their plugins, summed over processes"
)


@dataclass(frozen=True)
class Snapshot:
    """The state as it was read last. `version` is None while nobody has ever paused anything."""

    version: int | None = None
    #: plugin -> reason of the operator
    pauses: Mapping[str, str] = field(default_factory=dict)
    #: (kind, name) -> (plugin, reason)
    suspensions: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    #: plugin -> contracts it answered when its record was written
    provides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class ProcessPicture:
    """What a heartbeat tells of this process."""

    role: str
    fingerprint: str
    plugins: Mapping[str, Any]


class Watcher:
    """Made once per app, before any fork; its thread starts with the first question in each serving process."""

    def __init__(
        self,
        database_url: str,
        *,
        picture: Callable[[], ProcessPicture],
        on_change: Callable[[Snapshot], None],
        is_serving: bool,
    ) -> None:
        self._database_url = database_url
        self._picture = picture
        self._on_change = on_change
        self._is_serving = is_serving
        self._lock = threading.Lock()
        self._pid: int | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._process_id = uuid.uuid4()
        self._is_reachable = True
        self._stops_at_exit = False
        self.snapshot = Snapshot()
        #: sentences on where other living processes differ from this one, as of the last heartbeat
        self.differences: tuple[str, ...] = ()

    def ensure(self) -> None:
        """Starts the thread of this process if it is a serving one and none runs yet. Costs nothing afterwards."""
        if self._pid == os.getpid() or not self._is_serving:
            return
        with self._lock:
            if self._pid == os.getpid():
                return
            self._process_id, self._stop = uuid.uuid4(), threading.Event()
            try:
                self.refresh()
            except psycopg.Error as error:
                self._unreachable(error)
            self._thread = threading.Thread(
                target=_watch, args=(weakref.ref(self), self._stop), name="jiki-plugin-watcher", daemon=True
            )
            self._thread.start()
            if not self._stops_at_exit:
                atexit.register(_stop, weakref.ref(self))
                self._stops_at_exit = True
            self._pid = os.getpid()

    def refresh(self) -> None:
        """Reads the state now, on a connection of its own. Raises psycopg.Error when PostgreSQL does not answer."""
        with self.connect() as connection:
            self.look(connection, force=True)

    def stop(self) -> None:
        """Ends the thread, for who outlives the app: tests and tools. A later question starts it again."""
        thread, self._thread = self._thread, None
        if thread is None or self._pid != os.getpid():
            return
        self._stop.set()
        if thread is not threading.current_thread():
            thread.join(timeout=3)
        self._pid = None

    def connect(self) -> psycopg.Connection[Any]:
        """A connection for this watcher alone."""
        return psycopg.connect(
            self._database_url,
            autocommit=True,
            connect_timeout=3,
            application_name="jiki-watcher",
            options="-c statement_timeout=3000 -c timezone=UTC",
        )

    def look(self, connection: psycopg.Connection[Any], *, force: bool = False) -> None:
        """Compares the version and reads the rest when it is another one. A schema without the tables means nothing is paused."""
        try:
            row = connection.execute("select version from core.runtime_state").fetchone()
            version = None if row is None else row[0]
            if version != self.snapshot.version or force:
                self.snapshot = _read(connection, version)
                self._on_change(self.snapshot)
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
            if self.snapshot.version is not None:
                self.snapshot = Snapshot()
                self._on_change(self.snapshot)

    def beat(self, connection: psycopg.Connection[Any]) -> None:
        """Tells that this process lives, what it has loaded, and which state it acts on."""
        picture = self._picture()
        self.differences = tuple(_differences(connection, picture))
        _differing.set(len(self.differences))
        connection.execute(
            "insert into core.processes (id, role, host, pid, fingerprint, plugins, state_version) "
            "values (%s, %s, %s, %s, %s, %s, %s) on conflict (id) do update set seen_at = now(), "
            "fingerprint = excluded.fingerprint, plugins = excluded.plugins, state_version = excluded.state_version",
            [
                self._process_id,
                picture.role,
                socket.gethostname(),
                os.getpid(),
                picture.fingerprint,
                Jsonb(dict(picture.plugins)),
                self.snapshot.version,
            ],
        )
        connection.execute(
            "delete from core.processes where seen_at < now() - make_interval(secs => %s)", [_FORGET_AFTER_SECONDS]
        )

    def leave(self, connection: psycopg.Connection[Any]) -> None:
        """The process ends in good order."""
        connection.execute("delete from core.processes where id = %s", [self._process_id])

    def _unreachable(self, error: psycopg.Error) -> None:
        if self._is_reachable:
            log.warning("plugin_state_unreachable", error=type(error).__name__, holds="last known state")
        self._is_reachable = False

    def _reachable(self) -> None:
        if not self._is_reachable:
            log.info("plugin_state_reachable")
        self._is_reachable = True


def _differences(connection: psycopg.Connection[Any], picture: ProcessPicture) -> list[str]:
    """Where living processes with another fingerprint differ from this one."""
    others = connection.execute(
        "select role || '@' || host || ':' || pid, fingerprint, plugins from core.processes "
        "where fingerprint <> %s and seen_at > now() - make_interval(secs => %s) order by 1",
        [picture.fingerprint, GONE_AFTER_SECONDS],
    ).fetchall()
    me = Process(f"{picture.role}@{socket.gethostname()}:{os.getpid()}", picture.fingerprint, picture.plugins)
    return disagreements([me, *(Process(*other) for other in others)])


def _watch(reference: weakref.ref[Watcher], stop: threading.Event) -> None:
    """The thread: looks, beats, and starts over with a new connection when one fails. Ends with its watcher."""
    connection: psycopg.Connection[Any] | None = None
    next_beat = 0.0
    told: int | None = -1
    while not stop.is_set():
        watcher = reference()
        if watcher is None:
            break
        try:
            if connection is None:
                connection = watcher.connect()
            watcher.look(connection)
            if time.monotonic() >= next_beat or watcher.snapshot.version != told:
                watcher.beat(connection)
                next_beat, told = time.monotonic() + HEARTBEAT_SECONDS, watcher.snapshot.version
            watcher._reachable()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            next_beat = time.monotonic() + HEARTBEAT_SECONDS  # a database that is not migrated yet
        except psycopg.Error as error:
            watcher._unreachable(error)
            _close(connection)
            connection = None
        del watcher
        stop.wait(LOOK_SECONDS)
    watcher = reference()
    if watcher is not None:
        try:
            connection = connection or watcher.connect()
            watcher.leave(connection)
        except psycopg.Error as error:
            log.info("process_not_signed_off", error=type(error).__name__)
    _close(connection)


def _stop(reference: weakref.ref[Watcher]) -> None:
    watcher = reference()
    if watcher is not None:
        watcher.stop()


def _close(connection: psycopg.Connection[Any] | None) -> None:
    if connection is not None:
        try:
            connection.close()
        except psycopg.Error as error:
            log.info("watcher_connection_not_closed", error=type(error).__name__)


def _read(connection: psycopg.Connection[Any], version: int | None) -> Snapshot:
    pauses = connection.execute("select plugin, reason from core.plugin_pauses").fetchall()
    suspensions = connection.execute("select kind, name, plugin, reason from core.plugin_suspensions").fetchall()
    provides = connection.execute("select name, provides from core.plugin_records").fetchall()
    return Snapshot(
        version,
        dict(pauses),
        {(kind, name): (plugin, reason) for kind, name, plugin, reason in suspensions},
        {name: tuple(contracts) for name, contracts in provides},
    )
