"""What all processes must agree on while they run: pauses, suspensions, and which processes there are.

`core.runtime_state` is one row with a version; whoever changes a pause or a suspension gives it a new one in the same
transaction, and the watcher of each process sees that (architecture.md 2.2).
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, SmallInteger, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import CoreModel, Timestamp, UnitOfWork


class RuntimeState(CoreModel):
    """One row. `version` is the id of the transaction that changed something last: new each time, never reused."""

    __tablename__ = "runtime_state"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[Timestamp] = mapped_column(server_default=func.now())

    __table_args__ = (CheckConstraint("id = 1", name="id"),)


class PluginPause(CoreModel):
    """An operator closed the doors of a plugin. Its dependents' pauses follow from it and are not stored."""

    __tablename__ = "plugin_pauses"

    plugin: Mapped[str] = mapped_column(Text, primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    paused_at: Mapped[Timestamp] = mapped_column(server_default=func.now())


class PluginSuspension(CoreModel):
    """A job, listener or channel that failed too often and is held until an operator resumes its plugin."""

    __tablename__ = "plugin_suspensions"

    #: "job", "listener" or "channel"
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    #: stored name of the job or listener, name of the channel
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    plugin: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    suspended_at: Mapped[Timestamp] = mapped_column(server_default=func.now())

    __table_args__ = (CheckConstraint("kind in ('job', 'listener', 'channel')", name="kind"),)


class ProcessRecord(CoreModel):
    """The heartbeat of a serving process, with the fingerprint of its plugin set."""

    __tablename__ = "processes"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(Text)
    pid: Mapped[int] = mapped_column(Integer)
    fingerprint: Mapped[str] = mapped_column(Text)
    #: plugin -> {version, state, head, settings}
    plugins: Mapped[dict[str, Any]] = mapped_column(JSONB)
    #: the version of `runtime_state` that it acts on
    state_version: Mapped[int | None] = mapped_column(BigInteger)
    started_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    seen_at: Mapped[Timestamp] = mapped_column(server_default=func.now())

    __table_args__ = (Index("processes_seen_at_idx", "seen_at"),)


def announce_change(uow: UnitOfWork) -> None:
    """Lets every process see, within its next look, that pauses or suspensions changed."""
    changed: dict[str, Any] = {"version": text("pg_current_xact_id()::text::bigint"), "changed_at": func.now()}
    uow.session.execute(
        insert(RuntimeState).values(id=1, **changed).on_conflict_do_update(index_elements=["id"], set_=changed)
    )
