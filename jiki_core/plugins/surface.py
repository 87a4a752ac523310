"""A plugin's surface: everything of it that others rely on, as plain data, so that two versions can be compared.

kind -> part -> facts (name -> text). What each kind's changes mean is in `comparing.py`.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import inspect
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from packaging.requirements import Requirement

from jiki_core.contracts import Contract
from jiki_core.db.migration_sets import set_of_package
from jiki_core.db.records import PluginRecord
from jiki_core.events import Event
from jiki_core.http import Mount
from jiki_core.jobs import Job
from jiki_core.plugins.description import absent_answers
from jiki_core.plugins.host import LoadedPlugin
from jiki_core.plugins.migration_locks import revisions_with_locks
from jiki_core.plugins.personal_data import PersonalTable

Facts = Mapping[str, str]
Surface = Mapping[str, Mapping[str, Facts]]
#: modules of a package that are looked into for classes which others import
_PUBLIC_MODULES = ("contracts", "events")


def surface_of(name: str, loaded: LoadedPlugin) -> dict[str, dict[str, dict[str, str]]]:
    """The surface of a plugin that is loaded in this process."""
    given, plugin, package = loaded.contributions, loaded.plugin, loaded.package
    for module in _PUBLIC_MODULES:
        if importlib.util.find_spec(f"{package}.{module}") is not None:
            importlib.import_module(f"{package}.{module}")
    settings = dataclasses.fields(plugin.Settings) if plugin.Settings is not None else ()
    types = typing.get_type_hints(plugin.Settings) if plugin.Settings is not None else {}
    return {
        "core": {"jiki-core": {"version": plugin.core}},
        "requires": {Requirement(one).name: {"version": str(Requirement(one).specifier)} for one in plugin.requires},
        "uses": {Requirement(one).name: {"version": str(Requirement(one).specifier)} for one in plugin.uses},
        "routes": {part: facts for mount in given.blueprints for part, facts in _routes(mount)},
        "permissions": {one.name: {"roles": ", ".join(sorted(one.roles))} for one in given.permissions},
        "roles": {one.name: {} for one in given.roles},
        "events": {one.name: _event(one) for one in _classes(Event, package) if getattr(one, "name", "")},
        "listeners": {one.event_name: {} for one in given.listeners},
        "jobs": {stored: _job(job) for job in given.jobs for stored in job.stored_names(name)},
        "channels": {one.name: {"permission": one.permission or "", **_params(one.Params)} for one in given.channels},
        "contracts": {one.contract.__name__: {"without it": absent_answers(one.contract)} for one in given.providers},
        "questions": {
            f"{one.__name__}.{question}": {"signature": str(inspect.signature(getattr(one, question)))}
            for one in _classes(Contract, package)
            for question in one.questions()
        },
        "notifications": {
            f"{name}.{one.name}": {"group": one.group, "mandatory": "yes" if one.is_mandatory else ""}
            for one in given.notifications
        },
        "mails": {one.key: {"category": str(one.category)} for one in given.emails},
        "file kinds": {f"{name}.{one.name}": {"types": ", ".join(one.content_types)} for one in given.file_kinds},
        "settings": {
            one.name: {
                "type": _type_text(types[one.name]),
                "default": "" if one.default is dataclasses.MISSING else repr(one.default),
            }
            for one in settings
        },
        "personal data": {f"{one.table} by {one.path}": _personal(one) for one in given.personal_data},
        "migrations": _migrations(name, package),
    }


def surface_of_record(record: PluginRecord, revisions: list[str]) -> dict[str, dict[str, dict[str, str]]]:
    """What the last deploy's record tells: requirements, contracts, personal data, and the revision of the tables.

    `revisions` is the history that is installed now, for the part of it that the tables have.
    """
    done = revisions[: revisions.index(record.head) + 1] if record.head in revisions else [record.head or ""]
    return {
        "requires": {one: {} for one in record.requires},
        "contracts": {one.rpartition(".")[2]: {} for one in record.provides},
        "personal data": {
            f"{one['table']} by {'.'.join([*(step[0] for step in one['steps']), one['column']])}": {
                "export": ", ".join(one["export"]),
                "erasure": one["erasure"],
            }
            for one in record.personal_data.get("tables", [])
        },
        "migrations": {one: {} for one in done if one},
    }


def _routes(mount: Mount) -> Iterator[tuple[str, dict[str, str]]]:
    for route in mount.blueprint.routes:
        policy = mount.policy_of(route)
        facts = {
            "policy": policy.describe() if policy else "",
            "errors": ", ".join(sorted(error.symbol for error in route.raises)),
        }
        for method in sorted(route.methods):
            yield f"{method} {mount.prefix}{route.rule}", facts


def _event(event: type[Event]) -> dict[str, str]:
    hints = typing.get_type_hints(event)
    members = {f"field {one.name}": _type_text(hints[one.name]) for one in dataclasses.fields(event)}
    return {"version": str(event.version), **members}


def _job(job: Job) -> dict[str, str]:
    parameters = list(inspect.signature(job.func).parameters.values())[1:]
    plain = [one for one in parameters if one.kind is not inspect.Parameter.VAR_KEYWORD]
    arguments = {
        f"argument {one.name}": "needed" if one.default is inspect.Parameter.empty else "optional" for one in plain
    }
    timetable = job.timetable
    return {
        "queue": job.queue,
        "schedule": f"{timetable.cron} {timetable.timezone}" if timetable else "",
        **arguments,
    }


def _params(params: type[Any]) -> dict[str, str]:
    return {
        f"parameter {one.name}": "needed"
        if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
        else "optional"
        for one in dataclasses.fields(params)
    }


def _personal(one: PersonalTable) -> dict[str, str]:
    return {"export": ", ".join(one.export), "erasure": one.erasure.kind}


def _migrations(name: str, package: str) -> dict[str, dict[str, str]]:
    found = set_of_package(name, package)
    if found is None:
        return {}
    return {
        revision: {"locks": "\n".join(told["locks"]), "breaks": "\n".join(told["breaks"])}
        for revision, told in revisions_with_locks(found).items()
    }


def _classes(base: type[Any], package: str) -> Iterator[type[Any]]:
    """Subclasses of `base` that are defined in a package, as far as they are imported."""
    for one in base.__subclasses__():
        if one.__module__.partition(".")[0] == package:
            yield one
        yield from _classes(one, package)


def _type_text(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint).replace("typing.", "")
