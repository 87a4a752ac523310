"""Names in Valkey. Each stream's keys share a hash slot; channels carry the database's number, which pub/sub
ignores."""

from __future__ import annotations

from dataclasses import dataclass

import redis


@dataclass(frozen=True, slots=True)
class Keys:
    """The cable's names within one logical database."""

    database: int

    @classmethod
    def of(cls, client: redis.Redis) -> Keys:
        return cls(int(client.connection_pool.connection_kwargs.get("db") or 0))

    @property
    def control(self) -> str:
        """The channel on which processes are told to disconnect somebody."""
        return f"jiki:cable:{self.database}:control"

    def channel(self, stream: str) -> str:
        """The pub/sub channel of a stream."""
        return f"jiki:cable:{self.database}:stream:{stream}"

    @property
    def born(self) -> str:
        """Since when this Valkey has been keeping our streams."""
        return "jiki:cable:born"

    def position(self, stream: str) -> str:
        return f"jiki:cable:{{{stream}}}:position"

    def log(self, stream: str) -> str:
        return f"jiki:cable:{{{stream}}}:log"

    def seen(self, stream: str, durable_id: str) -> str:
        """Marks a durable message as appended."""
        return f"jiki:cable:{{{stream}}}:seen:{durable_id}"

    def members(self, stream: str) -> str:
        """Presence: socket id → presence id."""
        return f"jiki:cable:{{{stream}}}:members"

    def alive(self, stream: str) -> str:
        """Presence: socket ids by the time they vanish."""
        return f"jiki:cable:{{{stream}}}:alive"

    def records(self, stream: str) -> str:
        """Presence: presence id → what is shown of it."""
        return f"jiki:cable:{{{stream}}}:records"

    def session(self, sid: str) -> str:
        return f"jiki:cable:session:{sid}"
