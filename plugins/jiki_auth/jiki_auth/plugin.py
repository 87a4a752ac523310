"""The plugin auth: users, roles, sessions and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from flask import Flask, Request

from jiki_auth.settings import AuthSettings
from jiki_core.contracts import Provider
from jiki_core.db import Model
from jiki_core.events import Listener
from jiki_core.http import Mount
from jiki_core.jobs import Job, Schedule
from jiki_core.mail import EmailTemplate
from jiki_core.plugins import PersonalTable, Plugin, Seed, hookimpl
from jiki_core.security import Identity, Permission, Role
from jiki_core.storage import FileKind


class AuthPlugin(Plugin):
    name = "auth"
    core = ">=1.0"
    Settings = AuthSettings

    @hookimpl
    def jiki_configure(self, app: Flask, settings: AuthSettings) -> None:
        from jiki_auth.access_tokens import configure_access_tokens
        from jiki_auth.activity import note_activity, renew_cookie
        from jiki_auth.cookies import keep_presence_cookie

        configure_access_tokens(app, settings)
        app.before_request(note_activity)
        app.after_request(keep_presence_cookie)
        app.after_request(renew_cookie)

    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        from jiki_auth.api import v1

        return v1.mounts()

    @hookimpl
    def jiki_models(self) -> Sequence[type[Model]]:
        from jiki_auth import models

        return [
            models.User,
            models.UserRole,
            models.UserFlag,
            models.Session,
            models.MailToken,
            models.ApiKey,
            models.RecoveryCode,
            models.OtpChallenge,
            models.KnownDevice,
            models.SigningKey,
        ]

    @hookimpl
    def jiki_jobs(self) -> Sequence[Job]:
        from jiki_auth import jobs

        return [
            Job(jobs.prepare_account),
            Job(jobs.answer_reset_request),
            Job(jobs.answer_confirmation_request),
            Job(jobs.confirm_sns_subscription),
            Job(jobs.copy_google_avatar, queue="heavy", timeout_seconds=60),
            Job(jobs.sweep, schedule=Schedule("20 3 * * *")),
        ]

    @hookimpl
    def jiki_providers(self) -> Sequence[Provider]:
        from jiki_auth.contracts import HumanCheck, MailConsent, StreakWishes
        from jiki_auth.providers import (
            Captcha,
            ClosingAccounts,
            DigestConsent,
            LiveSignIns,
            UserAccounts,
            UserConsent,
            WantedStreaks,
        )
        from jiki_core.contracts import AccountErasure, Accounts, DigestWishes, SignIns

        return [
            Provider(Accounts, UserAccounts),
            Provider(SignIns, LiveSignIns),
            Provider(AccountErasure, ClosingAccounts),
            Provider(MailConsent, UserConsent),
            Provider(DigestWishes, DigestConsent),
            Provider(StreakWishes, WantedStreaks),
            Provider(HumanCheck, Captcha),
        ]

    @hookimpl
    def jiki_listeners(self) -> Sequence[Listener]:
        from jiki_auth.listeners import remember_suppression
        from jiki_core.mail import AddressSuppressed

        return [Listener(AddressSuppressed, remember_suppression)]

    @hookimpl
    def jiki_personal_data(self) -> Sequence[PersonalTable]:
        from jiki_auth.personal_data import PERSONAL_DATA

        return PERSONAL_DATA

    @hookimpl
    def jiki_file_kinds(self) -> Sequence[FileKind]:
        from jiki_auth.avatars import KEPT

        return [KEPT]

    @hookimpl
    def jiki_permissions(self) -> Sequence[Permission | Role]:
        from jiki_auth.permissions import PERMISSIONS, ROLES

        return [*ROLES, *PERMISSIONS]

    @hookimpl
    def jiki_emails(self) -> Sequence[EmailTemplate]:
        return [
            EmailTemplate("auth.confirmation", context=("handle", "token"), secrets=("token",)),
            EmailTemplate("auth.already_registered", context=("handle",)),
            EmailTemplate("auth.welcome", context=("handle",)),
            EmailTemplate("auth.password_reset", context=("handle", "token", "hours"), secrets=("token",)),
            EmailTemplate("auth.email_change", context=("handle", "token"), secrets=("token",)),
            EmailTemplate(
                "auth.email_change_notice", context=("handle", "new_email", "undo_url"), secrets=("undo_url",)
            ),
            EmailTemplate("auth.account_deletion", context=("handle", "token"), secrets=("token",)),
            EmailTemplate("auth.security_notice", context=("handle", "notice", "details")),
        ]

    @hookimpl
    def jiki_seeds(self) -> Sequence[Seed]:
        from jiki_auth.seeds import NOTICE, sample_accounts

        return [Seed("sample_accounts", sample_accounts, env="development", notice=NOTICE)]

    @hookimpl
    def jiki_commands(self) -> Sequence[click.Command]:
        from jiki_auth import cli

        return [
            cli.create_user_command,
            cli.grant_command,
            cli.revoke_command,
            cli.sessions_command,
            cli.unlock_command,
            cli.keys_commands,
            cli.api_keys_commands,
        ]

    @hookimpl
    def jiki_authenticate(self, request: Request) -> Identity | None:
        from jiki_auth.authentication import authenticate

        return authenticate(request)

    @hookimpl
    def jiki_authorize(self, identity: Identity, permission: str, resource: Any) -> bool | None:
        return True if permission in identity.permissions else None


plugin = AuthPlugin()
