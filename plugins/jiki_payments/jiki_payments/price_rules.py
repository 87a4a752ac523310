"""Which country's price somebody gets, from what is known of where they are (contract.md section 1, PPP). Pure.

The policy: an operator's word wins; else the CDN's country, else the one of the offline database, else the one the
account was made in, else none, which is the standard price. Where that country has a price of its own and the address is
known to hide its user (VPN, proxy, Tor), the standard price holds. An address that nobody knows anything about is not
suspected: the card's country is looked at when it pays.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from jiki_core.contracts import Verdict
from jiki_payments.countries import known_country
from jiki_payments.pricing import PriceTable


class Basis(StrEnum):
    """The rule that decided; stored as evidence."""

    OPERATOR = "operator"
    HEADER = "header"
    GEOIP = "geoip"
    ACCOUNT = "account"
    #: nothing was known
    UNKNOWN = "unknown"
    #: a country was known, but the address hides its user
    HIDDEN = "hidden"
    #: the card that paid was issued elsewhere
    CARD = "card"


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What is known of where somebody is; each a country code, junk, or None."""

    header: str | None = None
    geoip: str | None = None
    account: str | None = None
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The country whose price holds, None for the standard price, and why."""

    country: str | None
    basis: Basis


def locate(known: Whereabouts) -> Choice:
    """The best known country, before anybody asks whether the address hides somebody."""
    for code, basis in (
        (known.operator, Basis.OPERATOR),
        (known.header, Basis.HEADER),
        (known.geoip, Basis.GEOIP),
        (known.account, Basis.ACCOUNT),
    ):
        if country := known_country(code):
            return Choice(country, basis)
    return Choice(None, Basis.UNKNOWN)


def deserves_a_look(choice: Choice, table: PriceTable) -> bool:
    """Whether it matters if the address hides somebody: the price is not the standard one, and no operator decided."""
    is_standard = table.currency_for(choice.country) == table.default_currency
    return not is_standard and choice.basis is not Basis.OPERATOR


def choose_country(known: Whereabouts, verdict: Verdict, table: PriceTable) -> Choice:
    """The country whose price holds."""
    choice = locate(known)
    if deserves_a_look(choice, table) and verdict.is_suspect:
        return Choice(None, Basis.HIDDEN)
    return choice
