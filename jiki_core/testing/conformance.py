"""Checks that plugins and providers inherit in their own tests: subclass, name what is tested, and pytest runs them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
from flask import Flask

from jiki_core.contracts import Account, Accounts, Contract, CountryLocator, Entitlements, NetworkReputation, Verdict
from jiki_core.contracts.binding import BoundProvider
from jiki_core.db import db as database
from jiki_core.db.migration_sets import differences, downgrade, set_status, upgrade
from jiki_core.plugins import Plugin, PluginState
from jiki_core.plugins.personal_data import stored_form
from jiki_core.runtime import runtime_of
from jiki_core.schema_gate import plugin_sets


class PluginConformance:
    """What every plugin should pass. Needs the fixture `app` with the plugin enabled."""

    plugin: ClassVar[Plugin]

    def test_it_runs(self, app: Flask) -> None:
        status = app.extensions["jiki.host"].status(self.plugin.name)
        assert status.state is PluginState.RUNNING, status.sentence()

    def test_its_models_and_tables_agree(self, app: Flask) -> None:
        with app.app_context():
            for one in self._sets(app):
                assert differences(database.engine, one) == []

    def test_its_migrations_go_down_and_up_again(self, committed_db: Flask) -> None:
        with committed_db.app_context():
            for one in self._sets(committed_db):
                downgrade(database.engine, one, "base")
                upgrade(database.engine, [one])
                with database.engine.connect() as connection:
                    assert set_status(connection, one).is_current

    def test_every_route_is_documented(self, app: Flask) -> None:
        document = app.test_client().get("/openapi/v1.json").get_json()
        for endpoint, mounted in runtime_of(app).mounted.items():
            if mounted.plugin == self.plugin.name:
                assert inspect.getdoc(app.view_functions[endpoint]), f"{endpoint} has no docstring"
        assert document["paths"]

    def test_its_declarations_of_personal_data_can_be_stored(self, app: Flask) -> None:
        given = app.extensions["jiki.host"].loaded[self.plugin.name].contributions
        json.dumps(stored_form(given.models, given.personal_data))

    def test_its_jobs_take_json_and_say_what_they_do(self, app: Flask) -> None:
        for bound in runtime_of(app).jobs.values():
            if bound.plugin == self.plugin.name:
                assert inspect.getdoc(bound.job.func) or ".on." in bound.name, f"{bound.name} has no docstring"

    def _sets(self, app: Flask) -> Sequence[Any]:
        return [one for one in plugin_sets(app.extensions["jiki.host"]) if one.name == self.plugin.name]


class ProviderConformance:
    """What every provider of a contract must hold to. Needs the fixture `app`; subclasses below know more."""

    contract: ClassVar[type[Contract]]

    @pytest.fixture
    def provider(self, db: Flask) -> Any:
        """The object that answers, in an app context and the test's transaction."""
        bound: Sequence[BoundProvider] = runtime_of(db).providers.get(self.contract, ())
        assert bound, f"no plugin of this app answers {self.contract.__name__}"
        with db.app_context():
            yield bound[-1].answers

    def test_it_answers_every_question_as_the_contract_asks_it(self, provider: Any) -> None:
        for name in self.contract.questions():
            asked = list(inspect.signature(getattr(self.contract, name)).parameters)[1:]
            assert list(inspect.signature(getattr(provider, name)).parameters) == asked, name


class EntitlementsConformance(ProviderConformance):
    contract = Entitlements

    def test_both_forms_agree(self, provider: Any) -> None:
        many = provider.check_many("premium", [1, 2, 3])
        assert set(many) == {1, 2, 3}
        assert many == {one: provider.check(one, "premium") for one in (1, 2, 3)}

    def test_nobody_has_what_nobody_sells(self, provider: Any) -> None:
        assert provider.check(1, "no-such-entitlement") is False

    def test_asking_for_nobody_is_fine(self, provider: Any) -> None:
        assert provider.check_many("premium", []) == {}


class AccountsConformance(ProviderConformance):
    contract = Accounts

    def test_unknown_people_are_left_out(self, provider: Any) -> None:
        assert list(provider.get_many([])) == []
        assert list(provider.get_many([-1])) == []
        assert provider.find("nobody@nowhere.invalid") is None

    def test_what_it_gives_are_accounts(self, provider: Any) -> None:
        assert all(isinstance(one, Account) for one in provider.get_many(list(range(1, 10))))


class CountryLocatorConformance(ProviderConformance):
    contract = CountryLocator

    def test_a_private_or_broken_address_is_nowhere(self, provider: Any) -> None:
        for address in ("10.0.0.1", "::1", "not an address"):
            assert provider.locate(address) is None


class NetworkReputationConformance(ProviderConformance):
    contract = NetworkReputation

    def test_a_loopback_address_is_not_suspect(self, provider: Any) -> None:
        verdict = provider.judge("127.0.0.1")
        assert isinstance(verdict, Verdict)
        assert not verdict.is_suspect
