"""Binding: the contributions of the core and the loaded plugins, gathered into the look-up tables of the Runtime."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from jiki_core.cable import Channel
from jiki_core.contracts import Cardinality, Contract
from jiki_core.contracts.binding import BoundProvider
from jiki_core.db import UnitOfWork
from jiki_core.events import NotificationKind
from jiki_core.events.listeners import BoundListener, Listener
from jiki_core.http import Mount
from jiki_core.jobs import Job
from jiki_core.jobs.job import BoundJob, bind_job
from jiki_core.mail.templates import BoundTemplate, bind_templates
from jiki_core.plugins.contributions import Contributions, Made, Seed
from jiki_core.plugins.host import PluginHost
from jiki_core.security import Permission, Role
from jiki_core.storage import FileKind


@dataclass
class Assembly:
    """Everything contributed, by the name under which it is looked up."""

    mounts: list[tuple[str, Mount]] = field(default_factory=list)
    jobs: dict[str, BoundJob] = field(default_factory=dict)
    job_names: dict[Callable[..., Any], str] = field(default_factory=dict)
    listeners: dict[str, tuple[BoundListener, ...]] = field(default_factory=dict)
    providers: dict[type[Contract], tuple[BoundProvider, ...]] = field(default_factory=dict)
    channels: dict[str, tuple[str, type[Channel]]] = field(default_factory=dict)
    emails: dict[str, BoundTemplate] = field(default_factory=dict)
    permissions: dict[str, Permission] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    notification_kinds: dict[str, NotificationKind] = field(default_factory=dict)
    file_kinds: dict[str, FileKind] = field(default_factory=dict)
    seeds: list[tuple[str, Seed]] = field(default_factory=list)


def bind_all(core: Contributions, host: PluginHost) -> Assembly:
    """Binds in dependency order, the core first."""
    assembly = Assembly()
    for plugin, given, made in _contributors(core, host):
        assembly.mounts += [(plugin, mount) for mount in given.blueprints]
        assembly.seeds += [(plugin, seed) for seed in given.seeds]
        assembly.permissions.update({one.name: one for one in given.permissions})
        assembly.roles.update({one.name: one for one in given.roles})
        assembly.channels.update({channel.name: (plugin, channel) for channel in given.channels})
        assembly.notification_kinds.update({f"{plugin}.{one.name}": one for one in given.notifications})
        assembly.file_kinds.update({f"{plugin}.{kind.name}": kind for kind in given.file_kinds})
        assembly.emails.update({one.template.key: one for one in made.templates})
        for job in given.jobs:
            bound = bind_job(plugin, job)
            assembly.jobs.update(dict.fromkeys(job.stored_names(plugin), bound))
            assembly.job_names[job.func] = bound.name
        for listener in given.listeners:
            _bind_listener(assembly, plugin, listener)
        replacing = {one.contract for one in given.providers if not one.is_default}
        for contract, answers in made.answers:
            known, one = assembly.providers.get(contract, ()), BoundProvider(plugin, answers)
            is_first = contract.cardinality is Cardinality.ONE and contract in replacing
            assembly.providers[contract] = (one, *known) if is_first else (*known, one)
    return assembly


def _contributors(core: Contributions, host: PluginHost) -> Iterator[tuple[str, Contributions, Made]]:
    yield "core", core, Made(templates=bind_templates("core", "jiki_core.mail", core.emails))
    for name, loaded in host.loaded.items():
        yield name, loaded.contributions, loaded.made


def _bind_listener(assembly: Assembly, plugin: str, listener: Listener) -> None:
    """A listener is a job of its plugin, whose payload is the event."""
    name = listener.name or listener.func.__name__
    job_name = f"{plugin}.on.{listener.event_name}.{name}"

    def deliver(uow: UnitOfWork, payload: dict[str, Any]) -> None:
        event = payload["payload"]
        listener.func(uow, event if isinstance(listener.event, str) else listener.event.from_payload(event))

    assembly.jobs[job_name] = BoundJob(plugin, job_name, Job(listener.func, name=name), deliver)
    known = assembly.listeners.get(listener.event_name, ())
    assembly.listeners[listener.event_name] = (*known, BoundListener(plugin, listener, job_name))
