"""The contracts that plugins share without requiring each other (architecture.md 2.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from jiki_core.contracts.contract import Cardinality, Contract, question
from jiki_core.db.unit_of_work import UnitOfWork
from jiki_core.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Account:
    """What other plugins may know of a user."""

    id: int
    handle: str
    email: str
    name: str | None
    locale: str
    timezone: str
    may_receive: bool
    #: ISO 3166-1 alpha-2 of the first visit, in capitals; None = never known
    country_code: str | None = None


class Accounts(Contract):
    """Who a user is. Answered by auth."""

    @question(absent=list, failing=list)
    def get_many(self, ids: Sequence[int]) -> list[Account]:
        """The accounts of these ids, in any order; unknown ids are left out."""
        raise AssertionError("answered by a provider")

    @question(absent=None, failing=None)
    def find(self, name: str) -> Account | None:
        """The account with this address or handle, as operators name people."""
        raise AssertionError("answered by a provider")


def _nobody_can_say(session_id: str) -> Any:
    """Whoever cannot be asked is not signed out by that."""
    raise Unavailable(retry_after_seconds=5)


class SignIns(Contract):
    """Whether a session still stands, for credentials that were derived from it. Answered by auth."""

    @question(absent=None, failing=_nobody_can_say)
    def identity_of(self, session_id: str) -> Any:
        """The `Identity` the session stands for now, or None when it is over. Raises Unavailable when nobody can say."""
        raise AssertionError("answered by a provider")


Shape = Literal["user", "profile", "settings"]


class AccountFields(Contract):
    """Further members of User, Profile and Settings (contract.md 1b). Two providers of one field fail boot."""

    cardinality = Cardinality.MANY

    @question(absent=None, failing=None)
    def fields(self, shape: Shape, user_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """user id -> members to add to that shape."""
        raise AssertionError("answered by a provider")


class AccountSetup(Contract):
    """What a new account needs besides its row, in the sign-up transaction, each in its savepoint."""

    cardinality = Cardinality.MANY
    budget_ms = 2_000

    @question(absent=None, failing=False)
    def prepare(self, uow: UnitOfWork, user_id: int) -> bool:
        """Idempotent; returns True. A failure is repeated as a job."""
        raise AssertionError("answered by a provider")


@dataclass(frozen=True, slots=True)
class Unsubscribing:
    """How somebody stops a kind of mail: `List-Unsubscribe` and `List-Unsubscribe-Post` (RFC 8058), and a page."""

    headers: Mapping[str, str]
    page_url: str


class DigestWishes(Contract):
    """Who wants a mail about notifications that they have not read. Answered by auth; without it nobody gets one."""

    @question(absent=lambda user_ids: {}, failing=None)
    def wanting(self, user_ids: Sequence[int]) -> dict[int, Unsubscribing] | None:
        """Of these users, those who want it and may be mailed; None when nobody can say."""
        raise AssertionError("answered by a provider")


class AccountErasure(Contract):
    """What ends with an account besides its rows. Answered by auth; without it there are no accounts to end."""

    budget_ms = 10_000

    @question(absent=True, failing=False)
    def prepare(self, user_id: int) -> bool:
        """Outside any unit: everything outside (subscriptions, …) is ended; False when something could not be."""
        raise AssertionError("answered by a provider")

    @question(absent=True, failing=False)
    def close(self, uow: UnitOfWork, user_id: int, reason: str) -> bool:
        """In the erasure's transaction: sessions and sockets end, listeners hear of it, the account's row goes."""
        raise AssertionError("answered by a provider")


def _all(answer: bool) -> Any:
    return lambda entitlement, user_ids: dict.fromkeys(user_ids, answer)


class Entitlements(Contract):
    """What a user has paid for or was given. Without payments everything is granted: a school may be free."""

    @question(absent=True, failing=False, subject=lambda user_id, entitlement: f"{user_id}:{entitlement}")
    def check(self, user_id: int, entitlement: str) -> bool:
        """Whether the user has the entitlement (e.g. "premium") now."""
        raise AssertionError("answered by a provider")

    @question(absent=_all(True), failing=_all(False))
    def check_many(self, entitlement: str, user_ids: Sequence[int]) -> dict[int, bool]:
        """The same for many users in one query."""
        raise AssertionError("answered by a provider")


class Translator(Contract):
    """Texts in a user's language. Without i18n the source text stands."""

    @question(absent=lambda key, locale, default: default, failing=lambda key, locale, default: default)
    def translate(self, key: str, locale: str, default: str) -> str:
        """The published text of `key` ("<namespace>:<key>") in `locale` or its fallbacks, else `default`."""
        raise AssertionError("answered by a provider")

    @question(absent=lambda defaults, locale: dict(defaults), failing=lambda defaults, locale: dict(defaults))
    def translate_many(self, defaults: Mapping[str, str], locale: str) -> dict[str, str]:
        """The same for many keys at once: key → default in, key → text out."""
        raise AssertionError("answered by a provider")

    @question(absent=lambda explicit, tags: "en", failing=lambda explicit, tags: "en")
    def resolve_locale(self, explicit: str | None, tags: Sequence[str]) -> str:
        """The locale served to somebody with this explicit choice and these language tags (contract.md 3.10)."""
        raise AssertionError("answered by a provider")

    @question(absent=lambda explicit, tags: ("en",), failing=lambda explicit, tags: ("en",))
    def offered_locales(self, explicit: str | None, tags: Sequence[str]) -> Sequence[str]:
        """What a settings page offers first: the choice, what is served, and every known match of the tags."""
        raise AssertionError("answered by a provider")

    @question(absent=lambda: ("en",), failing=lambda: ("en",))
    def known_locales(self) -> Sequence[str]:
        """Locales that may be chosen, drafts included."""
        raise AssertionError("answered by a provider")


class TranslatableTexts(Contract):
    """Texts that a plugin keeps in its own tables and wants translated; i18n asks for them at `flask i18n sync`.

    What ships with a package needs no provider: i18n reads its `data/messages`.
    """

    cardinality = Cardinality.MANY
    budget_ms = 10_000

    @question(absent=None, failing=None)
    def texts(self) -> Mapping[str, Mapping[str, str]]:
        """Namespace → key → English text (ICU MessageFormat): all of each namespace, for a key left out is retired."""
        raise AssertionError("answered by a provider")


class CountryLocator(Contract):
    """Country of an address from the operator's own database; None when unknown, never a guess."""

    @question(absent=None, failing=None)
    def locate(self, ip: str) -> str | None:
        """ISO 3166-1 alpha-2 code in capitals, or None."""
        raise AssertionError("answered by a provider")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reputation service says of an address; None = it does not know."""

    vpn: bool | None = None
    proxy: bool | None = None
    tor: bool | None = None
    hosting: bool | None = None
    provider: str | None = None

    @property
    def is_suspect(self) -> bool:
        return any((self.vpn, self.proxy, self.tor))


class NetworkReputation(Contract):
    """Whether an address hides where its user is. Without a provider nothing is suspected."""

    @question(absent=lambda ip: Verdict(), failing=lambda ip: Verdict())
    def judge(self, ip: str) -> Verdict:
        raise AssertionError("answered by a provider")


def merged(answers: Sequence[Mapping[int, Mapping[str, Any]]], user_id: int) -> dict[str, Any]:
    """All further members of one user's shape."""
    members: dict[str, Any] = {}
    for answer in answers:
        members.update(answer.get(user_id, {}))
    return members
