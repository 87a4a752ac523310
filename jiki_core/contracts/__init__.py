"""Typed questions between plugins: who asks declares what holds when nobody answers, and when the answer fails."""

from jiki_core.contracts.asking import ask
from jiki_core.contracts.binding import Provider
from jiki_core.contracts.contract import Cardinality, Contract, question
from jiki_core.contracts.core import (
    Account,
    AccountErasure,
    AccountFields,
    Accounts,
    AccountSetup,
    CountryLocator,
    Entitlements,
    NetworkReputation,
    SignIns,
    TranslatableTexts,
    Translator,
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
    "Entitlements",
    "NetworkReputation",
    "Provider",
    "SignIns",
    "TranslatableTexts",
    "Translator",
    "Verdict",
    "ask",
    "question",
]
