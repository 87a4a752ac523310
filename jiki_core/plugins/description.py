"""What plugins contribute, as plain data, so that two selections or two versions can be compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from jiki_core.contracts import Contract
from jiki_core.plugins.host import LoadedPlugin

Description = Mapping[str, Any]
#: kinds of parts, in the order in which they are shown
KINDS = (
    "routes",
    "tables",
    "jobs",
    "schedules",
    "listeners",
    "channels",
    "contracts",
    "permissions",
    "roles",
    "mails",
    "notifications",
    "file kinds",
    "health checks",
    "settings",
)


def describe(name: str, loaded: LoadedPlugin) -> dict[str, Any]:
    """Kind -> part -> what is said of it."""
    given = loaded.contributions
    fields = dataclasses.fields(loaded.plugin.Settings) if loaded.plugin.Settings is not None else ()
    return {
        "routes": {
            f"{method} {mount.prefix}{route.rule}": ""
            for mount in given.blueprints
            for route in mount.blueprint.routes
            for method in sorted(route.methods)
        },
        "tables": {model.__tablename__: "" for model in given.models},
        "jobs": {job.stored_names(name)[0]: job.queue for job in given.jobs},
        "schedules": {
            job.stored_names(name)[0]: f"{job.timetable.cron} {job.timetable.timezone}"
            for job in given.jobs
            if job.timetable is not None
        },
        "listeners": {one.event_name: "" for one in given.listeners},
        "channels": {channel.name: "" for channel in given.channels},
        "contracts": {one.contract.__name__: absent_answers(one.contract) for one in given.providers},
        "permissions": {one.name: ", ".join(one.roles) for one in given.permissions},
        "roles": {one.name: "" for one in given.roles},
        "mails": {one.key: str(one.category) for one in given.emails},
        "notifications": {f"{name}.{one.name}": one.label for one in given.notifications},
        "file kinds": {one.name: ", ".join(one.content_types) for one in given.file_kinds},
        "health checks": {one.known_as: "critical" if one.is_critical else "" for one in given.health},
        "settings": {one.name: str(one.metadata.get("help", "")) for one in fields},
    }


def absent_answers(contract: type[Contract]) -> str:
    """What holds when nobody answers the contract, e.g. `check -> True`."""
    return ", ".join(
        f"{name} -> {'computed' if callable(one.absent) else one.absent}" for name, one in contract.questions().items()
    )


def differences(before: Mapping[str, Description], after: Mapping[str, Description]) -> Iterator[str]:
    """Lines on what one selection of plugins has and another has not. `before`, `after`: plugin -> its description."""
    for kind in KINDS:
        old = {part: said for one in before.values() for part, said in one.get(kind, {}).items()}
        new = {part: said for one in after.values() for part, said in one.get(kind, {}).items()}
        for part in sorted(old.keys() - new.keys()):
            yield f"- {kind[:-1]} {part}" + _effect(kind, old[part], is_lost=True)
        for part in sorted(new.keys() - old.keys()):
            yield f"+ {kind[:-1]} {part}" + _effect(kind, new[part], is_lost=False)


def _effect(kind: str, said: str, *, is_lost: bool) -> str:
    if kind == "contracts":
        return f": nobody answers it then; what holds is {said}" if is_lost else f": until now {said}"
    if kind == "schedules":
        return f" ({said})"
    return ""
