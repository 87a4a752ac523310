"""The hooks of the plugin API. All are synchronous and called by `plugins/host.py` only.

Contribution hooks are called once per plugin and app, at boot, in dependency order, in every process; what they return is
checked before any of it is live, and a wrong value makes that plugin `invalid`, with its dependents `blocked`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
import pluggy
from flask import Flask, Request

from jiki_core.cable import Channel
from jiki_core.contracts import Provider
from jiki_core.db import Model
from jiki_core.events import Listener, NotificationKind
from jiki_core.http import Mount
from jiki_core.jobs import Job
from jiki_core.mail import EmailTemplate
from jiki_core.plugins.contributions import Seed
from jiki_core.plugins.health import HealthCheck
from jiki_core.plugins.lifecycle import PluginChange
from jiki_core.plugins.personal_data import PersonalTable
from jiki_core.security import Identity, Permission, Role
from jiki_core.storage import FileKind

PROJECT = "jiki"
hookspec = pluggy.HookspecMarker(PROJECT)
#: marks a plugin's implementation of a hook
hookimpl = pluggy.HookimplMarker(PROJECT)


class HookSpecs:
    """Signatures and promises of all hooks."""

    @hookspec
    def jiki_blueprints(self) -> Sequence[Mount]:  # type: ignore[empty-body]  # a specification
        """Blueprints and where they hang. Each route needs a nameable policy; two plugins may not claim one path segment."""

    @hookspec
    def jiki_models(self) -> Sequence[type[Model]]:  # type: ignore[empty-body]  # a specification
        """The plugin's model classes. Tables lie in its schema; foreign keys go to itself, the core and `requires` only."""

    @hookspec
    def jiki_jobs(self) -> Sequence[Job]:  # type: ignore[empty-body]  # a specification
        """Jobs that units of work may enqueue. `<plugin>.<name>` is stored and is public API."""

    @hookspec
    def jiki_channels(self) -> Sequence[type[Channel]]:  # type: ignore[empty-body]  # a specification
        """Channel classes mounted on `/cable`."""

    @hookspec
    def jiki_listeners(self) -> Sequence[Listener]:  # type: ignore[empty-body]  # a specification
        """Who hears of which event. Each delivery is one durable job of this plugin."""

    @hookspec
    def jiki_providers(self) -> Sequence[Provider]:  # type: ignore[empty-body]  # a specification
        """Answers to contracts. Two providers of a contract of cardinality one are refused."""

    @hookspec
    def jiki_permissions(self) -> Sequence[Permission | Role]:  # type: ignore[empty-body]  # a specification
        """Permissions, named `<plugin>.<act>`, and roles. Duplicates are refused."""

    @hookspec
    def jiki_commands(self) -> Sequence[click.Command]:  # type: ignore[empty-body]  # a specification
        """Commands of `flask <plugin> …`. Called when somebody asks for one of them, not at boot."""

    @hookspec
    def jiki_seeds(self) -> Sequence[Seed]:  # type: ignore[empty-body]  # a specification
        """What `flask seed` does once per database, such as sample accounts in development."""

    @hookspec
    def jiki_emails(self) -> Sequence[EmailTemplate]:  # type: ignore[empty-body]  # a specification
        """Mail templates of the package's `emails` folder."""

    @hookspec
    def jiki_notifications(self) -> Sequence[NotificationKind]:  # type: ignore[empty-body]  # a specification
        """Kinds of notifications that the plugin sends, which users may switch off. `<plugin>.<name>` is stored."""

    @hookspec
    def jiki_file_kinds(self) -> Sequence[FileKind]:  # type: ignore[empty-body]  # a specification
        """Kinds of files that the plugin keeps: size, types, who may read and upload. `<plugin>.<kind>` is stored."""

    @hookspec
    def jiki_health(self) -> Sequence[HealthCheck]:  # type: ignore[empty-body]  # a specification
        """What the plugin needs from outside and may lack for a while, checked when an operator asks.

        Shown by `flask plugins status`, `/-/plugins` and the operator's readiness. Each check runs in a thread and for a
        time of its own, in every process that is asked and at most once in five seconds; an exception or a late answer is
        counted and means *not well*. Nothing is switched off by it: the plugin goes on as well as it can.
        """

    @hookspec
    def jiki_personal_data(self) -> Sequence[PersonalTable]:  # type: ignore[empty-body]  # a specification
        """What export and erasure do with each table that leads to users: `DELETE`, `anonymise(...)` or `retain(reason)`.

        A table with a column `user_id`, or with a foreign key to such a table, must be declared. The core keeps the
        declarations in the plugin's record, so that both work while the plugin is off or gone.
        """

    @hookspec
    def jiki_configure(self, app: Flask, settings: Any) -> None:
        """Once per app, after validation and before mounting: `init_app` of the plugin's own extensions.

        An exception makes the plugin `configure-failed`.
        """

    @hookspec
    def jiki_ready(self, app: Flask) -> None:
        """Once per app and in every process, dependencies first, when all plugins are mounted and bound.

        For cross-checks that need the whole, such as a setting that names a part of another plugin; no I/O, for the
        database may be away. An exception makes the plugin `configure-failed`, and its dependents `blocked`.
        """

    @hookspec
    def jiki_authenticate(self, request: Request) -> Identity | None:
        """Per request that asks who is calling; None = not mine. The first answer wins.

        An exception refuses the request: an error is never "anonymous".
        """

    @hookspec
    def jiki_authorize(self, identity: Identity, permission: str, resource: Any) -> bool | None:
        """Per guarded request: True allows, False denies, None abstains.

        Any deny wins; nobody allows = deny; an exception = deny. A database that is away is no answer: 503.
        """

    @hookspec
    def jiki_plugin_changed(self, change: PluginChange) -> None:
        """By `flask plugins apply`, once per deploy: a plugin was enabled, disabled or upgraded; or is about to be purged.

        Every plugin that runs hears of every change, its own included, in an app context and outside any unit of work. A
        plugin that was off catches up here from its own queries: events of that time were not kept for it. It must be
        idempotent: an exception is reported, the others hear it all the same, and the change is told again next time.
        """


#: hooks whose values are collected at boot; the others are called while serving
CONTRIBUTION_HOOKS = (
    "jiki_blueprints",
    "jiki_models",
    "jiki_jobs",
    "jiki_channels",
    "jiki_listeners",
    "jiki_providers",
    "jiki_permissions",
    "jiki_seeds",
    "jiki_emails",
    "jiki_notifications",
    "jiki_file_kinds",
    "jiki_health",
    "jiki_personal_data",
)
