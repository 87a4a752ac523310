"""What every plugin, and every provider of the core's contracts, should hold to: auth does."""

from __future__ import annotations

import pytest

from jiki_auth.contracts import HumanCheck, MailConsent, StreakWishes
from jiki_auth.plugin import plugin
from jiki_auth.testing import make_user, signed_in
from jiki_core.testing import (
    AccountErasureConformance,
    AccountsConformance,
    DigestWishesConformance,
    PluginConformance,
    ProviderConformance,
    SignInsConformance,
)


class TestAuth(PluginConformance):
    plugin = plugin


class OfAuth:
    """Three accounts, made by auth's own commands."""

    plugin = "auth"

    @pytest.fixture
    def user_ids(self, db):
        return [make_user(db).id for _ in range(3)]


class TestAccounts(OfAuth, AccountsConformance):
    pass


class TestAccountErasure(OfAuth, AccountErasureConformance):
    pass


class TestDigestWishes(OfAuth, DigestWishesConformance):
    pass


class TestSignIns(SignInsConformance):
    plugin = "auth"

    @pytest.fixture
    def user(self, db):
        return make_user(db)

    @pytest.fixture
    def user_ids(self, user):
        return [user.id]

    @pytest.fixture
    def session_id(self, db, user):
        signed = signed_in(db, user)
        return signed.http.get_cookie("jiki_session").value.partition(".")[0]


class TestMailConsent(ProviderConformance):
    plugin, contract = "auth", MailConsent


class TestStreakWishes(ProviderConformance):
    plugin, contract = "auth", StreakWishes


class TestHumanCheck(ProviderConformance):
    plugin, contract = "auth", HumanCheck
