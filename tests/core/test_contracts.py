"""Contracts: absent, failing and last good answers; a provider that fails in SQL leaves its caller's transaction whole."""

from __future__ import annotations

import inspect

import pytest
from sqlalchemy import text

from jiki_core import contracts
from jiki_core.contracts import Accounts, AccountSetup, Entitlements, NetworkReputation, Translator, ask, ask_all
from jiki_core.db import db, unit_of_work
from jiki_core.testing.databases import row_counts
from tests.plugin_factory import PluginFolder


def is_contract(found):
    return isinstance(found, type) and issubclass(found, contracts.Contract) and found is not contracts.Contract


PROVIDER = """
    @hookimpl
    def jiki_providers(self) -> Sequence[Provider]:
        from jiki_core.contracts import Entitlements
        from acme_gate.answers import Gate

        return [Provider(Entitlements, Gate)]
"""

ANSWERS = """
from sqlalchemy import text
from jiki_core.db import reading

class Gate:
    mode = "yes"

    def check(self, user_id, entitlement):
        if self.mode == "raise":
            raise RuntimeError("no answer")
        if self.mode == "sql":
            reading().execute(text("select * from nowhere"))
        if self.mode == "slow":
            reading().execute(text("select pg_sleep(5)"))
        return True

    def check_many(self, entitlement, user_ids):
        return {one: self.check(one, entitlement) for one in user_ids}
"""


@pytest.fixture
def gate(made_plugins, app_with):
    made_plugins.add("gate", PROVIDER, files={"answers.py": ANSWERS})
    app = app_with()
    from acme_gate.answers import Gate

    Gate.mode = "yes"
    with app.app_context():
        yield Gate


def test_absent_means_granted(make_app):
    with make_app(("i18n",)).app_context():
        assert ask(Entitlements).check(1, "premium") is True
        assert ask(Entitlements).check_many("premium", [1, 2]) == {1: True, 2: True}


def test_nobody_to_ask_about_accounts_and_somebody_who_fails_know_of_none(make_app, app_with, made_plugins):
    with make_app(("i18n",)).app_context():
        assert ask(Accounts).get_many([1, 2]) == []
    made_plugins.add(
        "register",
        """
    @hookimpl
    def jiki_providers(self) -> Sequence[Provider]:
        from jiki_core.contracts import Accounts

        class Register:
            def get_many(self, ids):
                raise RuntimeError("no")

            find = get_many

        return [Provider(Accounts, Register)]
""",
    )
    with app_with().app_context():
        assert ask(Accounts).get_many([1, 2]) == []


@pytest.mark.parametrize("contract", [one for one in vars(contracts).values() if is_contract(one)])
def test_every_declared_answer_can_be_given(contract):
    """Functions take what was asked; classes give something empty."""
    for name, declared in contract.questions().items():
        for answer in (declared.absent, declared.failing):
            if isinstance(answer, type):
                assert not answer()
            elif callable(answer):
                asked = list(inspect.signature(getattr(contract, name)).parameters)[1:]
                inspect.signature(answer).bind(*asked)


def test_absent_translator_leaves_the_text(app_with):
    with app_with().app_context():
        assert ask(Translator).translate("a.b", "hu", "Hello") == "Hello"
        assert ask(Translator).resolve_locale("hu", ["de"]) == "en"


def test_a_failing_provider_yields_the_denying_answer(gate):
    gate.mode = "raise"
    assert ask(Entitlements).check(2, "premium") is False
    assert ask(Entitlements).check_many("premium", [2]) == {2: False}


def test_the_last_good_answer_holds_when_the_provider_fails(gate):
    assert ask(Entitlements).check(3, "premium") is True
    gate.mode = "raise"
    assert ask(Entitlements).check(3, "premium") is True
    assert ask(Entitlements).check(4, "premium") is False, "nobody asked about that one before"


@pytest.mark.parametrize("mode", ["sql", "slow"])
def test_a_failure_in_sql_rolls_back_to_a_savepoint(gate, mode):
    gate.mode = mode
    with unit_of_work() as uow:
        uow.audit("before:asked")
        assert ask(Entitlements).check(5, "premium") is False
        assert uow.session.execute(text("select 1")).scalar_one() == 1
        assert uow.session.execute(text("show statement_timeout")).scalar_one() == "15s"
    from flask import current_app

    assert row_counts(current_app)["core.audit_events"] == 1


def test_an_unknown_question_is_a_mistake(gate):
    with pytest.raises(AttributeError, match="has no question"):
        ask(Entitlements).chekc(1, "premium")  # type: ignore[attr-defined]  # the mistake under test


def test_a_provider_must_answer_every_question(made_plugins, app_with):
    made_plugins.add(
        "gate",
        PROVIDER,
        files={"answers.py": "class Gate:\n    def check(self, user_id, entitlement):\n        return True\n"},
    )
    status = next(one for one in app_with().extensions["jiki.host"].statuses() if one.name == "gate")
    assert status.state == "invalid"
    assert "has no method check_many" in status.cause


# -- contracts with many providers --------------------------------------------------------------------------------------

SETTERS = """
    @hookimpl
    def jiki_providers(self) -> Sequence[Provider]:
        from jiki_core.contracts import AccountSetup

        class Setter:
            def prepare(self, uow, user_id):
                {act}

        return [Provider(AccountSetup, Setter)]
"""


def test_of_many_providers_each_answers_and_a_failing_one_says_so(made_plugins, app_with):
    made_plugins.add("first", SETTERS.format(act="return True"))
    made_plugins.add("second", SETTERS.format(act='raise RuntimeError("no")'))
    with app_with().app_context(), unit_of_work() as uow:
        assert ask_all(AccountSetup, lambda one: one.prepare(uow, 1)) == [True, False]


def test_nobody_to_ask_gives_no_answers(app_with):
    with app_with().app_context(), unit_of_work() as uow:
        assert ask_all(AccountSetup, lambda one: one.prepare(uow, 1)) == []


def test_one_of_many_that_is_listed_and_cannot_be_loaded_is_failing_and_not_passed_over(made_plugins, app_with):
    made_plugins.add("first", SETTERS.format(act="return True"))
    made_plugins.add("broken", source="raise RuntimeError('broken')\n")
    app = app_with()
    with app.app_context():
        try:
            with db.engine.begin() as connection:
                connection.execute(
                    text(
                        "insert into core.plugin_records (name, version, package, provides) values "
                        "('broken', '1.0', 'acme_broken', '{jiki_core.contracts.core.AccountSetup}')"
                    )
                )
            assert app.test_client().get("/health-check").status_code == 200
            with unit_of_work() as uow:
                assert ask_all(AccountSetup, lambda one: one.prepare(uow, 1)) == [True, False]
        finally:
            with db.engine.begin() as connection:
                connection.execute(text("delete from core.plugin_records where name = 'broken'"))


def test_a_contract_with_one_answer_is_not_asked_for_many(app_with):
    with app_with().app_context(), pytest.raises(TypeError, match=r"has one answer; use ask\(Entitlements\)"):
        ask_all(Entitlements, lambda one: one.check(1, "premium"))


# -- a default gives way ------------------------------------------------------------------------------------------------

JUDGE = """
    @hookimpl
    def jiki_providers(self) -> Sequence[Provider]:
        from jiki_core.contracts import NetworkReputation
        from acme_{name}.answers import Judge

        return [Provider(NetworkReputation, Judge{default})]
"""
JUDGES = """
from jiki_core.contracts import Verdict

class Judge:
    def judge(self, ip):
        return Verdict(provider="{name}")
"""


def _judge(made_plugins, name, default=""):
    body = JUDGE.format(name=name, default=default)
    made_plugins.add(name, body, files={"answers.py": JUDGES.format(name=name)})


@pytest.mark.parametrize(
    ("names", "expected"),
    [(("alone",), "alone"), (("alone", "better"), "better"), (("better", "zusatz"), "better")],
    ids=["alone", "bound before", "bound after"],
)
def test_a_default_provider_answers_until_another_plugin_does(made_plugins, app_with, names, expected):
    for name in names:
        _judge(made_plugins, name, "" if name == "better" else ", is_default=True")
    with app_with().app_context():
        assert ask(NetworkReputation).judge("203.0.113.9").provider == expected


@pytest.mark.parametrize("default", ["", ", is_default=True"], ids=["two that insist", "two defaults"])
def test_two_of_a_kind_are_refused(tmp_path, default):
    folder = PluginFolder(tmp_path)
    _judge(folder, "first", default)
    _judge(folder, "second", default)
    found = folder.states()
    assert found["first"]["state"] == "running"
    assert "the contract NetworkReputation is answered by first already" in found["second"]["cause"]
