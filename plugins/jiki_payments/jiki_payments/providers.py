"""Answers to the core's questions about premium."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jiki_core.contracts.core import Shape
from jiki_payments.queries.entitlements import entitled_among, has_entitlement
from jiki_payments.queries.prices import prices_json, prices_of


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
        return {
            user_id: {
                "subscription_status": "never_subscribed",
                "subscription": None,
                "premium_prices": prices_json(prices),
            }
            for user_id, prices in prices_of(user_ids).items()
        }
