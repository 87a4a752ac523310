"""The kit for tests of plugins: real PostgreSQL and Valkey, a client that checks every answer against the OpenAPI document.

Loaded by pytest through the entry point `jiki`; its fixtures are in `pytest_plugin`.
"""

from jiki_core.testing.cable import CableClient, CableSubscription, SubscriptionRejected
from jiki_core.testing.client import Answer, ApiClient
from jiki_core.testing.clock import FrozenClock
from jiki_core.testing.conformance import PluginConformance
from jiki_core.testing.network_guard import NetworkRefused
from jiki_core.testing.outbox import Asked, asked_for, drain_outbox
from jiki_core.testing.provider_conformance import (
    AccountErasureConformance,
    AccountFieldsConformance,
    AccountsConformance,
    AccountSetupConformance,
    CountryLocatorConformance,
    DigestWishesConformance,
    EntitlementsConformance,
    NetworkReputationConformance,
    ProviderConformance,
    SignInsConformance,
    TranslatableTextsConformance,
    TranslatorConformance,
)
from jiki_core.testing.queries import QueryLog, count_queries
from jiki_core.testing.waiting import wait_until

__all__ = [
    "AccountErasureConformance",
    "AccountFieldsConformance",
    "AccountSetupConformance",
    "AccountsConformance",
    "Answer",
    "ApiClient",
    "Asked",
    "CableClient",
    "CableSubscription",
    "CountryLocatorConformance",
    "DigestWishesConformance",
    "EntitlementsConformance",
    "FrozenClock",
    "NetworkRefused",
    "NetworkReputationConformance",
    "PluginConformance",
    "ProviderConformance",
    "QueryLog",
    "SignInsConformance",
    "SubscriptionRejected",
    "TranslatableTextsConformance",
    "TranslatorConformance",
    "asked_for",
    "count_queries",
    "drain_outbox",
    "wait_until",
]
