"""The kit for tests of plugins: real PostgreSQL and Valkey, a client that checks every answer against the OpenAPI document.

Loaded by pytest through the entry point `jiki`; its fixtures are in `pytest_plugin`.
"""

from jiki_core.testing.client import Answer, ApiClient
from jiki_core.testing.conformance import (
    AccountsConformance,
    CountryLocatorConformance,
    EntitlementsConformance,
    NetworkReputationConformance,
    PluginConformance,
    ProviderConformance,
)
from jiki_core.testing.outbox import drain_outbox
from jiki_core.testing.queries import QueryLog, count_queries
from jiki_core.testing.waiting import wait_until

__all__ = [
    "AccountsConformance",
    "Answer",
    "ApiClient",
    "CountryLocatorConformance",
    "EntitlementsConformance",
    "NetworkReputationConformance",
    "PluginConformance",
    "ProviderConformance",
    "QueryLog",
    "count_queries",
    "drain_outbox",
    "wait_until",
]
