"""Pausing: an operator closes a plugin's doors without a restart, and opens them again (architecture.md 2.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import UnitOfWork
from jiki_core.db.outbox import OutboxEntry, OutboxState
from jiki_core.plugins.runtime_state import PluginPause, PluginSuspension, announce_change


@dataclass(frozen=True, slots=True)
class Paused:
    """Why a plugin is paused: by itself (`by` is its own name), or because of one that it requires."""

    by: str
    reason: str


def effective_pauses(pauses: Mapping[str, str], requires: Mapping[str, Iterable[str]]) -> dict[str, Paused]:
    """Paused plugins and their dependents. `pauses`: plugin -> reason; `requires`: every loaded plugin, dependencies first."""
    found: dict[str, Paused] = {}
    for name, needed in requires.items():
        if name in pauses:
            found[name] = Paused(name, pauses[name])
            continue
        cause = next((found[one] for one in needed if one in found), None)
        if cause is not None:
            found[name] = cause
    return found


def dependents_of(name: str, requires: Mapping[str, Iterable[str]]) -> list[str]:
    """Plugins that need `name`, directly or not, in the order of `requires` (dependencies first)."""
    return [one for one in effective_pauses({name: ""}, requires) if one != name]


def pause_plugin(uow: UnitOfWork, name: str, *, reason: str) -> bool:
    """Closes a plugin's doors everywhere; False when they were closed already (the reason is replaced)."""
    before = uow.session.execute(select(PluginPause.reason).where(PluginPause.plugin == name)).scalar_one_or_none()
    uow.session.execute(
        insert(PluginPause)
        .values(plugin=name, reason=reason, paused_at=uow.now)
        .on_conflict_do_update(index_elements=["plugin"], set_={"reason": reason})
    )
    uow.audit(
        "plugin:paused",
        target_type="plugin",
        target_id=name,
        before=None if before is None else {"reason": before},
        after={"reason": reason},
        reason=reason,
        plugin=name,
    )
    announce_change(uow)
    return before is None


def resume_plugin(uow: UnitOfWork, name: str, *, reason: str | None = None) -> bool:
    """Opens a plugin's doors and lifts the suspensions of its parts; False when there was nothing to lift."""
    pause = uow.session.execute(
        delete(PluginPause).where(PluginPause.plugin == name).returning(PluginPause.reason)
    ).scalar_one_or_none()
    parts = uow.session.execute(
        delete(PluginSuspension)
        .where(PluginSuspension.plugin == name)
        .returning(PluginSuspension.kind, PluginSuspension.name)
    ).all()
    if pause is None and not parts:
        return False
    uow.audit(
        "plugin:resumed",
        target_type="plugin",
        target_id=name,
        before={"paused": pause, "suspended": [f"{kind} {part}" for kind, part in parts]},
        reason=reason,
        plugin=name,
    )
    announce_change(uow)
    return True


def release_held(uow: UnitOfWork, names: Iterable[str]) -> int:
    """Lets held jobs of these stored names go on; returns how many."""
    released = uow.session.execute(
        update(OutboxEntry)
        .where(OutboxEntry.state == OutboxState.HELD, OutboxEntry.name.in_(list(names)))
        .values(state=OutboxState.NEW, reason=None)
        .returning(OutboxEntry.id)
    ).all()
    if released:
        uow.wake_relay()
    return len(released)
