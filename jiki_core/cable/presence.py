"""Who is there: presence per stream in Valkey, announced on the stream's channel and never kept in its log
(realtime.md 1.10).

A member is a socket; an id is there as long as one of its sockets is. A socket that vanishes without a word
stays for some seconds, so that a client that comes back is never announced as gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import redis

from jiki_core.cable.keys import Keys

#: how long a vanished socket stays (AnyCable's --presence_ttl)
PRESENCE_SECONDS = 15
MAX_ID_CHARACTERS = 128
MAX_INFO_BYTES = 4_096
#: what is left behind when every process died
_KEY_SECONDS = 3_600

#: KEYS members, alive, records; ARGV channel, seconds, …
_LEAVE = """
local now = tonumber(redis.call('TIME')[1])
local function leave(sid)
    local id = redis.call('HGET', KEYS[1], sid)
    redis.call('HDEL', KEYS[1], sid)
    redis.call('ZREM', KEYS[2], sid)
    if not id then return end
    for _, other in ipairs(redis.call('HVALS', KEYS[1])) do
        if other == id then return end
    end
    redis.call('HDEL', KEYS[3], id)
    redis.call('PUBLISH', ARGV[1], 'p - 0 - {"type":"leave","id":' .. cjson.encode(id) .. '}')
end
for _, sid in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. now)) do leave(sid) end
"""

_JOIN = (
    _LEAVE
    + """
local sid, id, record = ARGV[3], ARGV[4], ARGV[5]
local before = redis.call('HGET', KEYS[1], sid)
if before and before ~= id then leave(sid) end
local is_new = redis.call('HSET', KEYS[3], id, record) == 1
redis.call('HSET', KEYS[1], sid, id)
redis.call('ZADD', KEYS[2], now + ARGV[2], sid)
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[6]) end
if is_new then redis.call('PUBLISH', ARGV[1], 'p - 0 - {"type":"join",' .. string.sub(record, 2)) end
"""
)

_STAY = (
    _LEAVE
    + """
for index = 4, #ARGV do redis.call('ZADD', KEYS[2], 'XX', now + ARGV[2], ARGV[index]) end
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[3]) end
"""
)


class PresenceInvalid(ValueError):
    """What a client says of itself is not `{"id": text, "info": …}` or too large."""


@dataclass(frozen=True, slots=True)
class Member:
    """What is shown of somebody: an id and JSON as it came."""

    id: str
    info: Any = None

    @classmethod
    def parse(cls, given: Any, *, required_id: str | None = None) -> Member:
        """Reads a client's `presence`; `required_id` is the id that the channel gives it. Raises
        PresenceInvalid."""
        if not isinstance(given, dict):
            raise PresenceInvalid("presence must be an object")
        presence_id = required_id if required_id is not None else given.get("id")
        if not isinstance(presence_id, str) or not 0 < len(presence_id) <= MAX_ID_CHARACTERS:
            raise PresenceInvalid(f"presence.id must be a string of 1 to {MAX_ID_CHARACTERS} characters")
        member = cls(presence_id, given.get("info"))
        if len(member.encode()) > MAX_INFO_BYTES:
            raise PresenceInvalid(f"presence.info may have at most {MAX_INFO_BYTES} bytes")
        return member

    def encode(self) -> bytes:
        """As it is announced and listed."""
        return orjson.dumps({"id": self.id} if self.info is None else {"id": self.id, "info": self.info})


class Presence:
    """Every method raises redis.RedisError when Valkey is away. Time is Valkey's own."""

    def __init__(self, seconds: int = PRESENCE_SECONDS) -> None:
        self._seconds = seconds

    def join(self, client: redis.Redis, stream: str, sid: str, member: Member) -> None:
        """Announces an id that is not there yet; for one that is there, its record becomes the newest."""
        self._run(client, _JOIN, stream, sid, member.id, member.encode(), _KEY_SECONDS)

    def leave(self, client: redis.Redis, stream: str, sid: str) -> None:
        """Announces an id whose last socket this was."""
        self._run(client, _LEAVE + "leave(ARGV[3])", stream, sid)

    def stay(self, client: redis.Redis, stream: str, sids: Sequence[str]) -> None:
        """Keeps sockets there, and lets those go that vanished."""
        self._run(client, _STAY, stream, _KEY_SECONDS, *sids)

    def records(self, client: redis.Redis, stream: str) -> list[bytes]:
        """What is shown of everybody, as JSON, in the order of their ids."""
        self._run(client, _LEAVE, stream)
        found: Any = client.hgetall(Keys.of(client).records(stream))
        return [record for _, record in sorted(found.items())]

    def _run(self, client: redis.Redis, script: str, stream: str, *arguments: Any) -> None:
        keys = Keys.of(client)
        client.register_script(script)(
            keys=[keys.members(stream), keys.alive(stream), keys.records(stream)],
            args=[keys.channel(stream), self._seconds, *arguments],
        )


def info_message(records: Sequence[bytes], *, with_records: bool) -> bytes:
    """The answer to a `presence` command."""
    listed = b',"records":[%b]' % b",".join(records) if with_records else b""
    return b'{"type":"info","total":%d%b}' % (len(records), listed)


ERROR_MESSAGE = b'{"type":"error"}'
