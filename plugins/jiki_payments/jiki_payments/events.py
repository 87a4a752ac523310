"""Domain events of payments: public API for other plugins, stored in the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jiki_core.events import Event


@dataclass(frozen=True)
class PremiumStarted(Event):
    """A user became premium: the first active entitlement after none. Emitted by `announce_membership`."""

    name: ClassVar[str] = "payments.premium_started"
    user_id: int
    #: whether it never happened to this user before
    is_first: bool


@dataclass(frozen=True)
class PremiumEnded(Event):
    """A user's last active entitlement ended. Emitted by `announce_membership`."""

    name: ClassVar[str] = "payments.premium_ended"
    user_id: int


@dataclass(frozen=True)
class SubscriptionChanged(Event):
    """A user's subscription status changed, in the wire's words (contract.md 4.2). Emitted by `apply_snapshot`."""

    name: ClassVar[str] = "payments.subscription_changed"
    user_id: int
    before: str
    after: str


@dataclass(frozen=True)
class CheckoutStarted(Event):
    """A user opened a checkout. Emitted by `open_checkout`."""

    name: ClassVar[str] = "payments.checkout_started"
    user_id: int
    interval: str
    currency: str
