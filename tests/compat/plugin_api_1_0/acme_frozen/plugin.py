"""The manifest of frozen: every hook of version 1.0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from flask import Flask, Request

from acme_frozen.settings import FrozenSettings
from jiki_core import (
    Channel,
    EmailTemplate,
    FileKind,
    Identity,
    Job,
    Listener,
    Model,
    Mount,
    NotificationKind,
    Permission,
    PersonalTable,
    Plugin,
    PluginChange,
    Provider,
    Retry,
    Role,
    Schedule,
    Seed,
    hookimpl,
)


class FrozenPlugin(Plugin):
    name = "frozen"
    requires = ("auth>=1.0",)
    uses = ("payments>=1.0", "i18n>=1.0")
    core = ">=1.0"
    Settings = FrozenSettings

    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        from acme_frozen.api.notes import blp, outside, service

        return [Mount(blp, "internal"), Mount(outside, "external"), Mount(service, "webhooks", version="v1")]

    @hookimpl
    def jiki_models(self) -> Sequence[type[Model]]:
        from acme_frozen.models import Note, Thanks, Visit

        return [Note, Thanks, Visit]

    @hookimpl
    def jiki_jobs(self) -> Sequence[Job]:
        from acme_frozen import jobs

        return [
            Job(jobs.thank, aliases=("say_thanks",), retry=Retry(limit=3), timeout_seconds=30, unique=True),
            Job(jobs.count_visits, schedule=Schedule("0 3 * * *", timezone="Europe/Berlin", catch_up="latest")),
            Job(jobs.report, name="outside_report", queue="heavy", priority="low"),
        ]

    @hookimpl
    def jiki_channels(self) -> Sequence[type[Channel]]:
        from acme_frozen.channels import FrozenChannel

        return [FrozenChannel]

    @hookimpl
    def jiki_listeners(self) -> Sequence[Listener]:
        from acme_frozen import listeners
        from acme_frozen.events import NoteWritten

        return [
            Listener(NoteWritten, listeners.on_note_written),
            Listener("payments.premium_started", listeners.on_premium_started),
        ]

    @hookimpl
    def jiki_providers(self) -> Sequence[Provider]:
        from acme_frozen.answers import PROVIDERS

        return PROVIDERS

    @hookimpl
    def jiki_permissions(self) -> Sequence[Permission | Role]:
        return [
            Permission("frozen.write", "Write notes", roles=("learner", "frozen_writer")),
            Role("frozen_writer", "Writes notes and nothing else"),
        ]

    @hookimpl
    def jiki_commands(self) -> Sequence[click.Command]:
        from acme_frozen.cli import close_command, report_command

        return [report_command, close_command]

    @hookimpl
    def jiki_seeds(self) -> Sequence[Seed]:
        from acme_frozen.seeds import first_visit

        return [Seed("frozen.first_visit", first_visit, env="all", notice="a first visit is recorded")]

    @hookimpl
    def jiki_emails(self) -> Sequence[EmailTemplate]:
        return [EmailTemplate("frozen.thanks", category="notifications", context=("greeting", "handle"))]

    @hookimpl
    def jiki_personal_data(self) -> Sequence[PersonalTable]:
        from acme_frozen.personal_data import PERSONAL_DATA

        return PERSONAL_DATA

    @hookimpl
    def jiki_notifications(self) -> Sequence[NotificationKind]:
        return [
            NotificationKind("thanked", "Thanks", group="thanks", summary="Somebody was thanked", is_mandatory=False)
        ]

    @hookimpl
    def jiki_file_kinds(self) -> Sequence[FileKind]:
        return [FileKind("sketch", max_bytes=100_000, content_types=("image/png",), permission="frozen.write")]

    @hookimpl
    def jiki_configure(self, app: Flask, settings: Any) -> None:
        app.extensions["acme_frozen"] = {"greeting": settings.greeting, "changes": []}

    @hookimpl
    def jiki_authenticate(self, request: Request) -> Identity | None:
        from acme_frozen.guards import identity_of

        return identity_of(request)

    @hookimpl
    def jiki_authorize(self, identity: Identity, permission: str, resource: Any) -> bool | None:
        from acme_frozen.guards import vote

        return vote(identity, permission)

    @hookimpl
    def jiki_plugin_changed(self, change: PluginChange) -> None:
        from acme_frozen.changes import on_change

        on_change(change)


plugin = FrozenPlugin()
