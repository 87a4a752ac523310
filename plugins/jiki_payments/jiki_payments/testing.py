"""Factories for tests of payments and of plugins that ask for entitlements; they go through the commands."""

from __future__ import annotations

from datetime import datetime

from flask import Flask

from jiki_core.db import unit_of_work
from jiki_payments.commands.grant_entitlement import grant_entitlement
from jiki_payments.commands.revoke_entitlement import revoke_entitlement
from jiki_payments.models import Source


def make_premium(app: Flask, user_id: int, *, until: datetime | None = None) -> None:
    """Gives the user premium, as an operator does."""
    with app.app_context(), unit_of_work() as uow:
        grant_entitlement(uow, user_id, Source.GRANT, expires_at=until)


def make_standard(app: Flask, user_id: int) -> None:
    """Takes back what `make_premium` gave."""
    with app.app_context(), unit_of_work() as uow:
        revoke_entitlement(uow, user_id, Source.GRANT)
