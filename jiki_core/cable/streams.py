"""Stream logs in Valkey: append, count, keep and publish in one step; read back what was missed (realtime.md
1.8).

A log outlives the processes that serve sockets. When Valkey restarts or fails over, what it kept may be older
than what was sent; its run id is part of a stream's life, so every stream begins a new epoch then and clients
are told.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import redis

from jiki_core.cable.history import Entry, LogPage
from jiki_core.cable.keys import Keys
from jiki_core.cable.protocol import Position


@dataclass(frozen=True, slots=True)
class LogLimits:
    """What a stream's log keeps: AnyCable's defaults."""

    messages: int = 100
    seconds: int = 300

    @property
    def counter_seconds(self) -> int:
        """How long a silent stream's counter lives."""
        return 10 * self.seconds


#: reads or begins the stream's life: its epoch, offset, newest time and beginning
_POSITION = """
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or ''
local time = redis.call('TIME')
local now = string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000))
local found = redis.call('HMGET', KEYS[1], 'epoch', 'offset', 'newest', 'began', 'run')
local epoch, offset, newest, began = found[1], found[2], found[3], found[4]
if not epoch or found[5] ~= run then
    epoch, offset, newest, began = ARGV[1], '0', '0', now
    redis.call('DEL', KEYS[2])
    redis.call('HSET', KEYS[1], 'epoch', epoch, 'offset', offset, 'newest', newest)
    redis.call('HSET', KEYS[1], 'began', began, 'run', run)
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
"""

_APPEND = (
    """
if ARGV[7] ~= '' and not redis.call('SET', KEYS[3], '1', 'NX', 'EX', ARGV[2]) then return false end
"""
    + _POSITION
    + """
offset = string.format('%d', redis.call('HINCRBY', KEYS[1], 'offset', 1))
redis.call('HSET', KEYS[1], 'newest', now)
redis.call('XADD', KEYS[2], 'MAXLEN', '=', ARGV[4], offset .. '-0', 'at', now, 'message', ARGV[5])
redis.call('EXPIRE', KEYS[2], ARGV[3])
redis.call('PUBLISH', ARGV[8], 'm ' .. epoch .. ' ' .. offset .. ' ' .. ARGV[6] .. ' ' .. ARGV[5])
return {epoch, offset}
"""
)

_READ = (
    _POSITION
    + """
local entries = {}
if ARGV[3] ~= '' then entries = redis.call('XRANGE', KEYS[2], ARGV[3], '+') end
return {epoch, offset, newest, began, entries}
"""
)

#: the run, and since when (milliseconds) it is known to have kept everything: 0 unless there is a sign of an older
#: memory that was lost, which is a marker of another run, or a caller (ARGV 1) who has seen one that is gone
_BORN = """
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or ''
local time = redis.call('TIME')
local now = string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000))
local found = redis.call('HMGET', KEYS[1], 'run', 'at')
local known, at = ARGV[1], found[2]
if found[1] ~= run then
    at = '0'
    if found[1] or known ~= '' then at = now end
elseif at == '0' and known ~= '' and known ~= run then
    at = now
else
    return {run, at}
end
redis.call('HSET', KEYS[1], 'run', run, 'at', at)
return {run, at}
"""

#: a socket id that no socket has
NOBODY = "-"


class StreamLog:
    """The logs of one Valkey. Every method raises redis.RedisError when Valkey is away."""

    def __init__(self, limits: LogLimits = LogLimits()) -> None:
        self._limits = limits
        # the run of Valkey in which this process last saw the marker
        self._known_run = b""

    def append(
        self,
        client: redis.Redis,
        stream: str,
        message: bytes,
        *,
        durable_id: str = "",
        exclude_socket: str = NOBODY,
    ) -> Position | None:
        """Appends and publishes a message (JSON); None when `durable_id` was appended before."""
        keys, limits = Keys.of(client), self._limits
        appended = client.register_script(_APPEND)(
            keys=[keys.position(stream), keys.log(stream), keys.seen(stream, durable_id)],
            args=[
                _new_epoch(),
                limits.counter_seconds,
                limits.seconds,
                limits.messages,
                message,
                exclude_socket,
                durable_id,
                keys.channel(stream),
            ],
        )
        if appended is None:
            return None
        epoch, offset = cast("list[bytes]", appended)
        return Position(epoch.decode(), int(offset))

    def positions(self, client: redis.Redis, streams: Sequence[str]) -> list[Position]:
        """Where streams stand now; a stream without a life begins one."""
        with client.pipeline(transaction=False) as pipeline:
            for stream in streams:
                self._read(pipeline, stream, "")
            return [Position(raw[0].decode(), int(raw[1])) for raw in pipeline.execute()]

    def page_after(self, client: redis.Redis, stream: str, offset: int) -> LogPage:
        """The log after an offset, for `entries_after`."""
        return self._page(self._read(client, stream, f"({max(0, offset)}-0"))

    def page(self, client: redis.Redis, stream: str) -> LogPage:
        """The whole log, and since when it is known to be whole."""
        with client.pipeline(transaction=False) as pipeline:
            pipeline.eval(_BORN, 1, Keys.of(client).born, self._known_run)
            self._read(pipeline, stream, "-")
            (self._known_run, born), raw = pipeline.execute()
        return self._page(raw, int(born))

    def mark_birth(self, client: redis.Redis) -> None:
        """Notes that this Valkey keeps our streams; a later loss of its memory is known by that."""
        marked = client.eval(_BORN, 1, Keys.of(client).born, self._known_run)
        self._known_run = cast("list[bytes]", marked)[0]

    def _read(self, client: Any, stream: str, start: str) -> Any:
        keys = Keys.of(client)
        return client.eval(
            _READ,
            2,
            keys.position(stream),
            keys.log(stream),
            _new_epoch(),
            self._limits.counter_seconds,
            start,
        )

    def _page(self, raw: Any, born: int = 0) -> LogPage:
        epoch, offset, newest, began, entries = raw
        return LogPage(
            Position(epoch.decode(), int(offset)),
            tuple(Entry(int(entry_id.partition(b"-")[0]), int(fields[1]), fields[3]) for entry_id, fields in entries),
            int(newest),
            # an older life of this stream ended at least a counter's life before this one began
            max(born, int(began) - self._limits.counter_seconds * 1000),
        )


def _new_epoch() -> str:
    return secrets.token_urlsafe(6).replace("-", "x")
