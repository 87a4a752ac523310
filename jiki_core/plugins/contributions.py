"""What one plugin contributes, collected and type-checked before any of it is live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from jiki_core.cable import Channel, channel_mistakes
from jiki_core.contracts import Cardinality, Contract, Provider
from jiki_core.contracts.binding import provider_mistakes
from jiki_core.db import Model, UnitOfWork
from jiki_core.events import Event, Listener, NotificationKind
from jiki_core.events.event import event_mistakes
from jiki_core.http import Blueprint, Mount
from jiki_core.jobs import Job
from jiki_core.mail import EmailTemplate
from jiki_core.mail.templates import BoundTemplate, bind_templates
from jiki_core.plugins.faults import last_place
from jiki_core.plugins.health import HealthCheck
from jiki_core.plugins.personal_data import PersonalTable
from jiki_core.security import Permission, Role
from jiki_core.storage import FileKind


@dataclass(frozen=True)
class Seed:
    """`func(uow)` runs once per database by `flask seed`; `env` names the environment it is for ("all" for every one)."""

    key: str
    func: Callable[[UnitOfWork], None]
    env: Literal["development", "test", "production", "all"] = "all"
    #: a line that `bin/dev` shows when the stack is ready
    notice: str = ""


@dataclass(frozen=True)
class Contributions:
    """The checked values of a plugin's contribution hooks."""

    blueprints: tuple[Mount, ...] = ()
    models: tuple[type[Model], ...] = ()
    jobs: tuple[Job, ...] = ()
    channels: tuple[type[Channel], ...] = ()
    listeners: tuple[Listener, ...] = ()
    providers: tuple[Provider, ...] = ()
    permissions: tuple[Permission, ...] = ()
    roles: tuple[Role, ...] = ()
    seeds: tuple[Seed, ...] = ()
    emails: tuple[EmailTemplate, ...] = ()
    notifications: tuple[NotificationKind, ...] = ()
    file_kinds: tuple[FileKind, ...] = ()
    health: tuple[HealthCheck, ...] = ()
    personal_data: tuple[PersonalTable, ...] = ()


@dataclass
class Collected:
    """The outcome of asking a plugin: values, or sentences on what is wrong with them."""

    values: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)

    def contributions(self) -> Contributions:
        granted = self.values.pop("permissions", ())
        return Contributions(
            **self.values,
            permissions=tuple(one for one in granted if isinstance(one, Permission)),
            roles=tuple(one for one in granted if isinstance(one, Role)),
        )


#: hook -> (is this value one of its kind?, what it should be)
_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "blueprints": (lambda value: isinstance(value, Mount), "Mount"),
    "models": (lambda value: isinstance(value, type) and issubclass(value, Model), "model class"),
    "jobs": (lambda value: isinstance(value, Job), "Job"),
    "channels": (lambda value: isinstance(value, type) and issubclass(value, Channel), "Channel class"),
    "listeners": (lambda value: isinstance(value, Listener), "Listener"),
    "providers": (lambda value: isinstance(value, Provider), "Provider"),
    "permissions": (lambda value: isinstance(value, Permission | Role), "Permission or Role"),
    "seeds": (lambda value: isinstance(value, Seed), "Seed"),
    "emails": (lambda value: isinstance(value, EmailTemplate), "EmailTemplate"),
    "notifications": (lambda value: isinstance(value, NotificationKind), "NotificationKind"),
    "file_kinds": (lambda value: isinstance(value, FileKind), "FileKind"),
    "health": (lambda value: isinstance(value, HealthCheck), "HealthCheck"),
    "personal_data": (lambda value: isinstance(value, PersonalTable), "PersonalTable"),
}


def collect(plugin: str, calls: dict[str, Callable[[], Any]]) -> Collected:
    """Calls each contribution hook that the plugin implements and checks what it returns. Never raises."""
    found = Collected()
    for hook, call in calls.items():
        kind = hook.removeprefix("jiki_")
        try:
            returned = call()
        except Exception as error:
            found.mistakes.append(f"{hook} raised {type(error).__name__}: {error}{last_place(error)}")
            continue
        if not isinstance(returned, Sequence) or isinstance(returned, str | bytes):
            found.mistakes.append(f"{hook} returned a {type(returned).__name__}; return a list of {_KINDS[kind][1]}")
            continue
        is_right, wanted = _KINDS[kind]
        wrong = [value for value in returned if not is_right(value)]
        if wrong:
            found.mistakes.append(f"{hook} returned a {type(wrong[0]).__name__} where a {wanted} is expected")
            continue
        found.values[kind] = tuple(returned)
        try:
            found.mistakes += _own_mistakes(plugin, kind, returned) or _shared_names(plugin, kind, returned)
        except Exception as error:  # a value of the right type may hold anything
            found.mistakes.append(
                f"what {hook} returned cannot be used: {type(error).__name__}: {error}{last_place(error)}"
            )
    return found


@dataclass(frozen=True)
class Made:
    """What exists once per app: the objects that answer contracts, and the mail templates with their loader."""

    answers: tuple[tuple[type[Contract], Any], ...] = ()
    templates: tuple[BoundTemplate, ...] = ()


def make(plugin: str, package: str, given: Contributions) -> tuple[Made, list[str]]:
    """Makes a plugin's providers and templates; sentences on what cannot be made. Never raises."""
    answers: list[tuple[type[Contract], Any]] = []
    templates: tuple[BoundTemplate, ...] = ()
    mistakes: list[str] = []
    for provider in given.providers:
        try:
            made = provider.factory()
        except Exception as error:
            mistakes.append(
                f"the provider of {provider.contract.__name__} raised {type(error).__name__}: {error}{last_place(error)}"
            )
            continue
        mistakes += provider_mistakes(provider, made)
        answers.append((provider.contract, made))
    try:
        templates = bind_templates(plugin, package, given.emails)
    except ValueError as error:
        mistakes.append(f"jiki_emails: {error}; the package needs a folder `emails`")
    return Made(tuple(answers), templates), mistakes


def _own_mistakes(plugin: str, kind: str, values: Sequence[Any]) -> list[str]:
    if kind == "notifications":
        return [mistake for value in values for mistake in value.mistakes()]
    if kind == "blueprints":
        plain = [one.blueprint.name for one in values if not isinstance(one.blueprint, Blueprint)]
        if plain:
            return [f"the blueprint {name} is Flask's own; make it with jiki_core.Blueprint" for name in plain]
    if kind in ("blueprints", "jobs", "file_kinds", "health"):
        return [mistake for value in values for mistake in value.mistakes()]
    if kind == "channels":
        return [mistake for value in values for mistake in channel_mistakes(value)]
    if kind == "emails":
        return [mistake for value in values for mistake in value.mistakes(plugin)]
    if kind == "permissions":
        return [mistake for value in values if isinstance(value, Permission) for mistake in value.mistakes(plugin)]
    if kind == "listeners":
        events: list[type[Event]] = [value.event for value in values if isinstance(value.event, type)]
        return [mistake for event in events for mistake in event_mistakes(event)]
    return []


#: kind -> (one of them in words, names that no two of a plugin may share)
_NAMES: dict[str, tuple[str, Callable[[str, Any], Sequence[str]]]] = {
    "blueprints": ("blueprint", lambda plugin, one: [one.name_for(plugin)]),
    "jobs": ("job", lambda plugin, one: one.stored_names(plugin)),
    "channels": ("channel", lambda _, one: [one.name]),
    "listeners": ("listener", lambda _, one: [f"{one.event_name} by {one.name or one.func.__name__}"]),
    "providers": (
        "provider of",
        lambda _, one: [one.contract.__name__] if one.contract.cardinality is Cardinality.ONE else [],
    ),
    "permissions": ("", lambda _, one: [f"{type(one).__name__.lower()} {one.name}"]),
    "seeds": ("seed", lambda _, one: [one.key]),
    "emails": ("mail", lambda _, one: [one.key]),
    "notifications": ("notification", lambda _, one: [one.name]),
    "file_kinds": ("file kind", lambda _, one: [one.name]),
    "health": ("health check", lambda _, one: [one.known_as]),
}


def _shared_names(plugin: str, kind: str, values: Sequence[Any]) -> list[str]:
    """Sentences on names that two values have: one of them would silently take the other's place."""
    word, names_of = _NAMES.get(kind, ("", lambda _plugin, _one: []))
    names = Counter(name for value in values for name in names_of(plugin, value))
    return [
        f"the {word} {name}".replace("  ", " ") + " is declared twice; give one of them another name"
        for name, count in names.items()
        if count > 1
    ]
