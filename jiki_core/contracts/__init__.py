"""Typed questions between plugins: who asks declares what holds when nobody answers, and when the answer fails."""

from jiki_core.contracts.asking import ask, ask_all
from jiki_core.contracts.binding import Provider
from jiki_core.contracts.contract import Cardinality, Contract, question
from jiki_core.contracts.core import (
    Account,
    AccountErasure,
    AccountFields,
    Accounts,
    AccountSetup,
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

__all__ = [
    "Account",
    "AccountErasure",
    "AccountFields",
    "AccountSetup",
    "Accounts",
    "Cardinality",
    "Contract",
    "CountryLocator",
    "DigestWishes",
    "Entitlements",
    "NetworkReputation",
    "Provider",
    "SignIns",
    "TranslatableTexts",
    "Translator",
    "Unsubscribing",
    "Verdict",
    "ask",
    "ask_all",
    "question",
]
