"""What every plugin, and every provider of the core's contracts, should hold to: payments does."""

from __future__ import annotations

import pytest

from jiki_auth.contracts import AccountDeletion
from jiki_auth.testing import make_user
from jiki_core.testing import (
    AccountFieldsConformance,
    CountryLocatorConformance,
    EntitlementsConformance,
    NetworkReputationConformance,
    PluginConformance,
    ProviderConformance,
)
from jiki_payments.plugin import plugin


class TestPayments(PluginConformance):
    plugin = plugin


class OfPayments:
    """Three accounts that have paid nothing."""

    plugin = "payments"

    @pytest.fixture
    def user_ids(self, db):
        return [make_user(db).id for _ in range(3)]


class TestEntitlements(OfPayments, EntitlementsConformance):
    pass


class TestAccountFields(OfPayments, AccountFieldsConformance):
    pass


class TestCountryLocator(OfPayments, CountryLocatorConformance):
    pass


class TestNetworkReputation(OfPayments, NetworkReputationConformance):
    pass


class TestAccountDeletion(OfPayments, ProviderConformance):
    contract = AccountDeletion
