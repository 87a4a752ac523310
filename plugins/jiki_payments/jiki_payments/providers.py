"""Answers to the core's and auth's questions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from jiki_core.contracts import Verdict
from jiki_core.contracts.core import Shape
from jiki_core.db import reading
from jiki_payments.commands.manage_subscription import end_now
from jiki_payments.country_database import CountryDatabase
from jiki_payments.models import Member
from jiki_payments.network_reputation import ReputationServices
from jiki_payments.queries.entitlements import entitled_among, has_entitlement
from jiki_payments.queries.prices import prices_json, prices_of
from jiki_payments.queries.standings import standings_of, subscription_json
from jiki_payments.settings import payments_settings
from jiki_payments.stripe_gateway import StripeGateway, StripeRefused, stripe_gateway


class StoredEntitlements:
    """Answers `Entitlements`."""

    def check(self, user_id: int, entitlement: str) -> bool:
        return has_entitlement(user_id, entitlement)

    def check_many(self, entitlement: str, user_ids: Sequence[int]) -> dict[int, bool]:
        entitled = entitled_among(user_ids, entitlement)
        return {user_id: user_id in entitled for user_id in user_ids}


class SubscriptionFields:
    """Answers `AccountFields` for the shape `user`."""

    def fields(self, shape: Shape, user_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        if shape != "user":
            return {}
        now = datetime.now(UTC)
        prices = prices_of(user_ids)
        return {
            user_id: {
                "subscription_status": standing.status,
                "subscription": subscription_json(standing, now),
                "premium_prices": prices_json(prices[user_id]),
            }
            for user_id, standing in standings_of(user_ids).items()
        }


class SubscriptionsOfDeletedAccounts:
    """Answers `AccountDeletion`: nothing may be charged for an account that is gone (contract.md 3.13)."""

    def prepare_deletion(self, user_id: int) -> bool:
        """Ends subscriptions at once and closes a checkout that could still be paid. Raises when Stripe does not; then
        the account stays.
        """
        stripe = stripe_gateway()
        end_now(stripe, user_id)
        checkout = reading().scalar(select(Member.open_checkout_id).where(Member.user_id == user_id))
        if checkout is not None:
            self._close(stripe, checkout)
        return True

    def _close(self, stripe: StripeGateway, checkout: str) -> None:
        """One that was paid and not yet told of has begun a subscription."""
        try:
            session = stripe.checkout_session(checkout)
            if session["status"] == "open":
                stripe.expire_checkout_session(checkout)
            elif session["subscription"]:
                stripe.cancel_subscription(session["subscription"])
        except StripeRefused as error:
            if not error.is_missing:
                raise


class OperatorsCountries:
    """Answers `CountryLocator` from the operator's database."""

    def __init__(self) -> None:
        self._database: CountryDatabase | None = None

    def locate(self, ip: str) -> str | None:
        if self._database is None:
            self._database = CountryDatabase(payments_settings().geoip_database)
        return self._database.locate(ip)


class OperatorsReputation:
    """Answers `NetworkReputation` from the operator's services."""

    def __init__(self) -> None:
        self._services: ReputationServices | None = None

    def judge(self, ip: str) -> Verdict:
        if self._services is None:
            self._services = ReputationServices(payments_settings())
        return self._services.judge(ip)
