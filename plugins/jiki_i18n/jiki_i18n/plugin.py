"""The plugin i18n: locales, translations in the database, and the catalogues that front-ends load."""

from __future__ import annotations

from collections.abc import Sequence

import click
from flask import Flask

from jiki_core.cable import Channel
from jiki_core.contracts import Provider
from jiki_core.db import Model
from jiki_core.http import Mount
from jiki_core.jobs import Job
from jiki_core.plugins import PersonalTable, Plugin, Seed, hookimpl
from jiki_core.security import Permission, Role
from jiki_i18n.settings import I18nSettings


class I18nPlugin(Plugin):
    name = "i18n"
    core = ">=1.0"
    Settings = I18nSettings

    @hookimpl
    def jiki_configure(self, app: Flask, settings: I18nSettings) -> None:
        from jiki_i18n.queries.locales import remember_locale_states

        remember_locale_states(app, settings)

    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        from jiki_i18n.api.v1 import (
            catalogues,
            exchange,
            locales,
            messages,
            publications,
            translations,
            translators,
        )

        return [
            Mount(catalogues.blp, "external"),
            Mount(locales.blp, "admin"),
            Mount(messages.blp, "admin"),
            Mount(translations.blp, "admin"),
            Mount(translators.blp, "admin"),
            Mount(publications.blp, "admin"),
            Mount(exchange.blp, "admin"),
        ]

    @hookimpl
    def jiki_models(self) -> Sequence[type[Model]]:
        from jiki_i18n.models import ALL_MODELS

        return ALL_MODELS

    @hookimpl
    def jiki_jobs(self) -> Sequence[Job]:
        from jiki_i18n.jobs import build_file, collect_files, machine_translate, write_pointers

        return [
            Job(build_file, queue="heavy", timeout_seconds=600),
            Job(write_pointers, timeout_seconds=300, schedule="*/10 * * * *"),
            Job(collect_files, timeout_seconds=600, priority="low", unique=True, schedule="17 3 * * *"),
            Job(machine_translate, timeout_seconds=300),
        ]

    @hookimpl
    def jiki_channels(self) -> Sequence[type[Channel]]:
        from jiki_i18n.channels import PublicationsChannel

        return [PublicationsChannel]

    @hookimpl
    def jiki_providers(self) -> Sequence[Provider]:
        from jiki_core.contracts import Translator
        from jiki_i18n.providers import CatalogueTranslator

        return [Provider(Translator, CatalogueTranslator)]

    @hookimpl
    def jiki_personal_data(self) -> Sequence[PersonalTable]:
        from jiki_i18n.personal_data import PERSONAL_DATA

        return PERSONAL_DATA

    @hookimpl
    def jiki_permissions(self) -> Sequence[Permission | Role]:
        from jiki_i18n.permissions import PERMISSIONS, ROLES

        return [*ROLES, *PERMISSIONS]

    @hookimpl
    def jiki_seeds(self) -> Sequence[Seed]:
        from jiki_i18n.seeds import own_messages

        return [Seed("own_messages", own_messages)]

    @hookimpl
    def jiki_commands(self) -> Sequence[click.Command]:
        from jiki_i18n.cli import COMMANDS

        return COMMANDS


plugin = I18nPlugin()
