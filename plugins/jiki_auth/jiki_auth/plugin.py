"""The plugin auth: users, roles, sessions and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from flask import Flask, Request

from jiki_auth.settings import AuthSettings
from jiki_core.contracts import Provider
from jiki_core.db import Model
from jiki_core.http import Mount
from jiki_core.jobs import Job
from jiki_core.mail import EmailTemplate
from jiki_core.plugins import Plugin, Seed, hookimpl
from jiki_core.security import Identity, Permission, Role


class AuthPlugin(Plugin):
    name = "auth"
    core = ">=1.0"
    Settings = AuthSettings

    @hookimpl
    def jiki_configure(self, app: Flask, settings: AuthSettings) -> None:
        from jiki_auth.access_tokens import configure_access_tokens
        from jiki_auth.cookies import keep_presence_cookie

        configure_access_tokens(app, settings)
        app.after_request(keep_presence_cookie)

    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        from jiki_auth.api.v1 import account, confirmation, sign_in, sign_up, tokens

        return [
            Mount(sign_up.blp, "auth"),
            Mount(sign_in.blp, "auth"),
            Mount(confirmation.blp, "auth"),
            Mount(tokens.blp, "auth"),
            Mount(account.blp, "internal"),
        ]

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
        from jiki_auth.jobs import prepare_account

        return [Job(prepare_account)]

    @hookimpl
    def jiki_providers(self) -> Sequence[Provider]:
        from jiki_auth.providers import LiveSignIns, UserAccounts
        from jiki_core.contracts import Accounts, SignIns

        return [Provider(Accounts, UserAccounts), Provider(SignIns, LiveSignIns)]

    @hookimpl
    def jiki_permissions(self) -> Sequence[Permission | Role]:
        from jiki_auth.permissions import PERMISSIONS, ROLES

        return [*ROLES, *PERMISSIONS]

    @hookimpl
    def jiki_emails(self) -> Sequence[EmailTemplate]:
        return [
            EmailTemplate("auth.confirmation", context=("handle", "token")),
            EmailTemplate("auth.already_registered", context=("handle",)),
            EmailTemplate("auth.welcome", context=("handle",)),
        ]

    @hookimpl
    def jiki_seeds(self) -> Sequence[Seed]:
        from jiki_auth.seeds import NOTICE, sample_accounts

        return [Seed("sample_accounts", sample_accounts, env="development", notice=NOTICE)]

    @hookimpl
    def jiki_commands(self) -> Sequence[click.Command]:
        from jiki_auth.cli import create_user_command

        return [create_user_command]

    @hookimpl
    def jiki_authenticate(self, request: Request) -> Identity | None:
        from jiki_auth.authentication import authenticate

        return authenticate(request)

    @hookimpl
    def jiki_authorize(self, identity: Identity, permission: str, resource: Any) -> bool | None:
        return True if permission in identity.permissions else None


plugin = AuthPlugin()
