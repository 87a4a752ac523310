"""The plugin payments: prices, entitlements and Stripe."""

from __future__ import annotations

from collections.abc import Sequence

import click

from jiki_core.contracts import Provider
from jiki_core.db import Model
from jiki_core.http import Mount
from jiki_core.mail import EmailTemplate
from jiki_core.plugins import Plugin, hookimpl
from jiki_core.security import Permission, Role
from jiki_payments.settings import PaymentsSettings


class PaymentsPlugin(Plugin):
    name = "payments"
    requires = ("auth>=1.0",)
    core = ">=1.0"
    Settings = PaymentsSettings

    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        from jiki_payments.api.v1 import pricing

        return [Mount(pricing.blp, "external")]

    @hookimpl
    def jiki_models(self) -> Sequence[type[Model]]:
        from jiki_payments.models import ALL_MODELS

        return ALL_MODELS

    @hookimpl
    def jiki_providers(self) -> Sequence[Provider]:
        from jiki_core.contracts import AccountFields, Entitlements
        from jiki_payments.providers import StoredEntitlements, SubscriptionFields

        return [Provider(Entitlements, StoredEntitlements), Provider(AccountFields, SubscriptionFields)]

    @hookimpl
    def jiki_permissions(self) -> Sequence[Permission | Role]:
        from jiki_payments.permissions import PERMISSIONS

        return PERMISSIONS

    @hookimpl
    def jiki_emails(self) -> Sequence[EmailTemplate]:
        return [
            EmailTemplate("payments.welcome_to_premium", context=("handle",)),
            EmailTemplate("payments.subscription_ended", context=("handle",)),
        ]

    @hookimpl
    def jiki_commands(self) -> Sequence[click.Command]:
        from jiki_payments.cli.entitlements import grant_command, revoke_command
        from jiki_payments.cli.prices import prices_group

        return [grant_command, revoke_command, prices_group]


plugin = PaymentsPlugin()
