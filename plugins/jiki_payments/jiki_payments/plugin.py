"""The plugin payments: prices, entitlements and Stripe."""

from __future__ import annotations

from collections.abc import Sequence

import click
from flask import Flask

from jiki_core.contracts import Provider
from jiki_core.db import Model
from jiki_core.events import NotificationKind
from jiki_core.http import Mount
from jiki_core.jobs import Job
from jiki_core.mail import EmailTemplate
from jiki_core.plugins import HealthCheck, PersonalTable, Plugin, hookimpl
from jiki_core.security import Permission, Role
from jiki_payments.settings import PaymentsSettings


class PaymentsPlugin(Plugin):
    name = "payments"
    requires = ("auth>=1.0",)
    core = ">=1.0"
    Settings = PaymentsSettings

    @hookimpl
    def jiki_configure(self, app: Flask, settings: PaymentsSettings) -> None:
        from jiki_payments.stripe_gateway import init_gateway

        init_gateway(app, settings)

    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        from jiki_payments.api.v1 import (
            admin_entitlements,
            admin_price_tables,
            admin_stripe_notices,
            payments,
            pricing,
            stripe_webhook,
            subscriptions,
        )

        return [
            Mount(pricing.blp, "external"),
            Mount(subscriptions.blp, "internal"),
            Mount(payments.blp, "internal"),
            Mount(stripe_webhook.blp, "webhooks"),
            Mount(admin_entitlements.blp, "admin"),
            Mount(admin_price_tables.blp, "admin"),
            Mount(admin_stripe_notices.blp, "admin"),
        ]

    @hookimpl
    def jiki_models(self) -> Sequence[type[Model]]:
        from jiki_payments.models import ALL_MODELS

        return ALL_MODELS

    @hookimpl
    def jiki_jobs(self) -> Sequence[Job]:
        from jiki_payments.jobs import JOBS

        return JOBS

    @hookimpl
    def jiki_providers(self) -> Sequence[Provider]:
        from jiki_auth.contracts import AccountDeletion
        from jiki_core.contracts import AccountFields, CountryLocator, Entitlements, NetworkReputation
        from jiki_payments import providers

        return [
            Provider(Entitlements, providers.StoredEntitlements),
            Provider(AccountFields, providers.SubscriptionFields),
            Provider(AccountDeletion, providers.SubscriptionsOfDeletedAccounts),
            Provider(CountryLocator, providers.OperatorsCountries, is_default=True),
            Provider(NetworkReputation, providers.OperatorsReputation, is_default=True),
        ]

    @hookimpl
    def jiki_notifications(self) -> Sequence[NotificationKind]:
        return [
            NotificationKind(
                "payment_failed",
                "A payment failed",
                group="payments",
                summary="Until when premium lasts without one",
                is_mandatory=True,
            ),
            NotificationKind("premium_started", "Premium has begun", group="payments"),
            NotificationKind("premium_ended", "Premium has ended", group="payments", is_mandatory=True),
        ]

    @hookimpl
    def jiki_health(self) -> Sequence[HealthCheck]:
        from jiki_payments.health import no_notice_is_parked, notices_are_handled

        return [HealthCheck(notices_are_handled, is_critical=True), HealthCheck(no_notice_is_parked)]

    @hookimpl
    def jiki_personal_data(self) -> Sequence[PersonalTable]:
        from jiki_payments.personal_data import PERSONAL_DATA

        return PERSONAL_DATA

    @hookimpl
    def jiki_permissions(self) -> Sequence[Permission | Role]:
        from jiki_payments.permissions import PERMISSIONS

        return PERMISSIONS

    @hookimpl
    def jiki_emails(self) -> Sequence[EmailTemplate]:
        return [
            EmailTemplate("payments.welcome_to_premium", context=("handle",)),
            EmailTemplate("payments.subscription_ended", context=("handle",)),
            EmailTemplate("payments.payment_failed", context=("handle", "premium_until")),
            EmailTemplate("payments.price_changed", context=("handle", "price", "interval", "begins_on")),
        ]

    @hookimpl
    def jiki_commands(self) -> Sequence[click.Command]:
        from jiki_payments.cli.entitlements import grant_command, revoke_command
        from jiki_payments.cli.prices import prices_group
        from jiki_payments.cli.report import report_command
        from jiki_payments.cli.stripe import reconcile_command, replay_command, sync_command
        from jiki_payments.cli.whereabouts import set_country_command, why_price_command

        return [
            grant_command,
            revoke_command,
            prices_group,
            sync_command,
            reconcile_command,
            replay_command,
            report_command,
            why_price_command,
            set_country_command,
        ]


plugin = PaymentsPlugin()
