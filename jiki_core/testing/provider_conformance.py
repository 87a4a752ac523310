"""What holds for every provider of a contract: a class per core contract, inherited by the tests of who answers it.

class TestFields(AccountFieldsConformance):
    plugin = "badges"

    @pytest.fixture
    def user_ids(self, db):
        return [make_user(db).id for _ in range(3)]
"""

from __future__ import annotations

import inspect
import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, get_args

import pytest
from flask import Flask

from jiki_core.contracts import (
    Account,
    AccountErasure,
    AccountFields,
    Accounts,
    AccountSetup,
    Contract,
    CountryLocator,
    DigestWishes,
    Entitlements,
    NetworkReputation,
    SignIns,
    TranslatableTexts,
    Translator,
    Unsubscribing,
    Verdict,
)
from jiki_core.contracts.core import Shape
from jiki_core.db import unit_of_work
from jiki_core.runtime import runtime_of
from jiki_core.security import Identity
from jiki_core.testing.queries import count_queries

#: an id that nobody has
NOBODY = 9_000_000_000


class ProviderConformance:
    """What holds for any contract. Needs the fixture `app`; the classes below know more of theirs."""

    contract: ClassVar[type[Contract]]
    #: who answers; its own answer is tested, whoever else answers the same contract
    plugin: ClassVar[str]

    @pytest.fixture
    def provider(self, db: Flask) -> Iterator[Any]:
        """The object that answers, in an app context and the test's transaction."""
        bound = [one for one in runtime_of(db).providers.get(self.contract, ()) if one.plugin == self.plugin]
        assert bound, f"{self.plugin} does not answer {self.contract.__name__} in this app"
        with db.app_context():
            yield bound[-1].answers

    @pytest.fixture
    def user_ids(self) -> Sequence[int]:
        """Three users who exist, for contracts about users; to be overridden where accounts have rows."""
        return (1, 2, 3)

    def test_it_answers_every_question_as_the_contract_asks_it(self, provider: Any) -> None:
        for name in self.contract.questions():
            asked = list(inspect.signature(getattr(self.contract, name)).parameters)[1:]
            answered = inspect.signature(getattr(provider, name)).parameters
            assert list(answered)[: len(asked)] == asked, name
            further = list(answered.values())[len(asked) :]
            assert all(one.default is not inspect.Parameter.empty for one in further), (
                f"{name} wants more than is asked"
            )


class EntitlementsConformance(ProviderConformance):
    """Of providers of `Entitlements`."""

    contract = Entitlements

    def test_both_forms_agree(self, provider: Any, user_ids: Sequence[int]) -> None:
        asked = [*user_ids, NOBODY]
        many = provider.check_many("premium", asked)
        assert many == {one: provider.check(one, "premium") for one in asked}

    def test_answers_are_yes_or_no(self, provider: Any, user_ids: Sequence[int]) -> None:
        assert {type(one) for one in provider.check_many("premium", user_ids).values()} == {bool}

    def test_nobody_has_what_nobody_sells(self, provider: Any, user_ids: Sequence[int]) -> None:
        assert provider.check(user_ids[0], "no-such-entitlement") is False

    def test_asking_for_nobody_is_fine(self, provider: Any) -> None:
        assert provider.check_many("premium", []) == {}

    def test_many_users_take_no_more_queries_than_one(self, provider: Any, db: Flask, user_ids: Sequence[int]) -> None:
        with count_queries(db) as one:
            provider.check_many("premium", user_ids[:1])
        with count_queries(db) as many:
            provider.check_many("premium", user_ids)
        assert len(many) == len(one)


class AccountsConformance(ProviderConformance):
    """Of providers of `Accounts`; `user_ids` must be of accounts that exist."""

    contract = Accounts

    def test_unknown_people_are_left_out(self, provider: Any, user_ids: Sequence[int]) -> None:
        assert list(provider.get_many([])) == []
        assert list(provider.get_many([NOBODY, -1])) == []
        assert [one.id for one in provider.get_many([user_ids[0], NOBODY])] == [user_ids[0]]
        assert provider.find("nobody@nowhere.invalid") is None
        assert provider.find("") is None

    def test_what_it_gives_are_accounts_one_for_each_id(self, provider: Any, user_ids: Sequence[int]) -> None:
        found = provider.get_many([*user_ids, *user_ids])
        assert all(isinstance(one, Account) for one in found)
        assert sorted(one.id for one in found) == sorted(user_ids)

    def test_people_are_found_by_address_in_any_case_and_by_handle(
        self, provider: Any, user_ids: Sequence[int]
    ) -> None:
        for account in provider.get_many(user_ids):
            for name in (account.email, account.email.upper(), f" {account.email} ", account.handle):
                assert provider.find(name) == account, name

    def test_locales_and_countries_have_their_form(self, provider: Any, user_ids: Sequence[int]) -> None:
        for account in provider.get_many(user_ids):
            assert re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", account.locale)
            assert account.country_code is None or re.fullmatch(r"[A-Z]{2}", account.country_code)


class SignInsConformance(ProviderConformance):
    """Of providers of `SignIns`; the fixture `session_id` names a session that stands, of the first of `user_ids`."""

    contract = SignIns

    @pytest.fixture
    def session_id(self) -> str:
        raise NotImplementedError("give the id of a session that stands, of the first of user_ids")

    def test_a_session_that_stands_is_its_users(self, provider: Any, user_ids: Sequence[int], session_id: str) -> None:
        found = provider.identity_of(session_id)
        assert isinstance(found, Identity)
        assert found.user_id == user_ids[0]

    @pytest.mark.parametrize("unknown", ["", "nonsense", "0" * 32, uuid.UUID(int=7).hex])
    def test_what_is_no_session_stands_for_nobody(self, provider: Any, unknown: str) -> None:
        assert provider.identity_of(unknown) is None


class DigestWishesConformance(ProviderConformance):
    """Of providers of `DigestWishes`; `user_ids` must be of accounts that exist."""

    contract = DigestWishes

    def test_it_tells_of_those_who_were_asked_about_only(self, provider: Any, user_ids: Sequence[int]) -> None:
        told = provider.wanting([*user_ids, NOBODY])
        assert told.keys() <= set(user_ids)
        assert provider.wanting([]) == {}

    def test_everybody_can_stop_it_with_one_click_and_on_a_page(self, provider: Any, user_ids: Sequence[int]) -> None:
        for stopping in provider.wanting(user_ids).values():
            assert isinstance(stopping, Unsubscribing)
            assert {name.lower() for name in stopping.headers} >= {"list-unsubscribe", "list-unsubscribe-post"}
            assert stopping.page_url.startswith("http")


class AccountFieldsConformance(ProviderConformance):
    """Of providers of `AccountFields`; `user_ids` must be of accounts that exist."""

    contract = AccountFields

    def test_it_tells_of_those_who_were_asked_about_and_of_all_alike(
        self, provider: Any, user_ids: Sequence[int]
    ) -> None:
        for shape in get_args(Shape):
            told = provider.fields(shape, user_ids)
            assert told.keys() in (set(), set(user_ids)), shape
            assert len({tuple(sorted(members)) for members in told.values()}) <= 1, f"{shape}: the members differ"

    def test_members_can_be_sent(self, provider: Any, user_ids: Sequence[int]) -> None:
        for shape in get_args(Shape):
            json.dumps(provider.fields(shape, user_ids))

    def test_asking_for_nobody_is_fine(self, provider: Any) -> None:
        assert all(provider.fields(shape, []) == {} for shape in get_args(Shape))

    def test_many_users_take_no_more_queries_than_one(self, provider: Any, db: Flask, user_ids: Sequence[int]) -> None:
        for shape in get_args(Shape):
            provider.fields(shape, user_ids)  # fills caches
            with count_queries(db) as one:
                provider.fields(shape, user_ids[:1])
            with count_queries(db) as many:
                provider.fields(shape, user_ids)
            assert len(many) == len(one), shape


class AccountSetupConformance(ProviderConformance):
    """Of providers of `AccountSetup`; `user_ids` must be of accounts that exist."""

    contract = AccountSetup

    def test_it_can_be_repeated(self, provider: Any, user_ids: Sequence[int]) -> None:
        for _ in range(2):
            with unit_of_work() as uow:
                assert provider.prepare(uow, user_ids[0]) is True


class AccountErasureConformance(ProviderConformance):
    """Of providers of `AccountErasure`; `user_ids` must be of accounts that exist."""

    contract = AccountErasure

    def test_preparing_can_be_repeated_and_closing_ends_the_one_account(
        self, provider: Any, db: Flask, user_ids: Sequence[int]
    ) -> None:
        accounts = runtime_of(db).providers[Accounts][-1].answers
        gone, *others = user_ids
        assert provider.prepare(gone) is True
        assert provider.prepare(gone) is True
        with unit_of_work() as uow:
            assert provider.close(uow, gone, "conformance") is True
        assert sorted(one.id for one in accounts.get_many(user_ids)) == sorted(others)


class TranslatorConformance(ProviderConformance):
    """Of providers of `Translator`."""

    contract = Translator

    @pytest.mark.parametrize("key", ["nowhere:nothing", "nothing", ":", ""])
    def test_without_a_text_the_default_stands(self, provider: Any, key: str) -> None:
        assert provider.translate(key, "hu", "As it was") == "As it was"

    @pytest.mark.parametrize("locale", ["hu", "en", "tlh", ""])
    def test_both_forms_agree(self, provider: Any, locale: str) -> None:
        defaults = {"nowhere:one": "One", "nowhere:two": "Two"}
        many = provider.translate_many(defaults, locale)
        assert many == {key: provider.translate(key, locale, text) for key, text in defaults.items()}
        assert provider.translate_many({}, locale) == {}

    @pytest.mark.parametrize("tags", [(), ("hu",), ("tlh", "x"), ("", "*", "-", "de-"), ("EN-us",)])
    def test_whatever_a_browser_says_a_known_locale_is_served_and_offered(
        self, provider: Any, tags: Sequence[str]
    ) -> None:
        known = provider.known_locales()
        assert "en" in known
        for explicit in (None, "hu", "nonsense"):
            served = provider.resolve_locale(explicit, tags)
            assert served in known
            assert served in provider.offered_locales(explicit, tags)


class TranslatableTextsConformance(ProviderConformance):
    """Of providers of `TranslatableTexts`."""

    contract = TranslatableTexts

    def test_texts_are_english_strings_by_namespace_and_key(self, provider: Any) -> None:
        told = provider.texts()
        assert isinstance(told, Mapping)
        for namespace, texts in told.items():
            assert re.fullmatch(r"[a-z][a-z0-9_-]*", namespace), namespace
            assert all(isinstance(key, str) and key and isinstance(text, str) for key, text in texts.items()), namespace

    def test_it_tells_the_same_again(self, provider: Any) -> None:
        assert provider.texts() == provider.texts()


class CountryLocatorConformance(ProviderConformance):
    """Of providers of `CountryLocator`."""

    contract = CountryLocator

    @pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "::1", "fe80::1", "not an address", "", "1.2.3.4.5"])
    def test_a_private_or_broken_address_is_nowhere(self, provider: Any, address: str) -> None:
        assert provider.locate(address) is None

    @pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111"])
    def test_a_country_is_two_capitals_or_unknown(self, provider: Any, address: str) -> None:
        found = provider.locate(address)
        assert found is None or re.fullmatch(r"[A-Z]{2}", found)


class NetworkReputationConformance(ProviderConformance):
    """Of providers of `NetworkReputation`."""

    contract = NetworkReputation

    @pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.1", "not an address", ""])
    def test_an_address_of_our_own_or_a_broken_one_is_not_suspect(self, provider: Any, address: str) -> None:
        verdict = provider.judge(address)
        assert isinstance(verdict, Verdict)
        assert not verdict.is_suspect
