"""Decides whose price somebody gets, and keeps why."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import insert

from jiki_core.contracts import CountryLocator, NetworkReputation, Verdict, ask
from jiki_core.db import UnitOfWork
from jiki_payments.commands.member import lock_member
from jiki_payments.countries import known_country
from jiki_payments.models import Occasion, PriceDecision
from jiki_payments.price_rules import Basis, Whereabouts, choose_country, deserves_a_look, locate
from jiki_payments.pricing import PremiumPrices, price_for
from jiki_payments.queries.prices import current_table


@dataclass(frozen=True, slots=True)
class Decision:
    """A price and why it holds."""

    country: str | None
    basis: Basis
    prices: PremiumPrices
    #: of the price table
    version: str
    evidence: Mapping[str, Any]


def decide_price(
    *, header: str | None, address: str, account: str | None = None, operator: str | None = None
) -> Decision:
    """From where a request came from, with no unit of work open: a reputation service may be asked.

    `header` is the trusted CDN's country, `account` the one the account was made in, `operator` what one said.
    """
    table = current_table()
    geoip = None if known_country(header) else ask(CountryLocator).locate(address)
    known = Whereabouts(header=header, geoip=geoip, account=account, operator=operator)
    first = locate(known)
    verdict = ask(NetworkReputation).judge(address) if deserves_a_look(first, table) else Verdict()
    choice = choose_country(known, verdict, table)
    evidence = {
        **{name: value for name, value in asdict(known).items() if value is not None},
        **{name: value for name, value in asdict(verdict).items() if value is not None},
        "network": network_of(address),
    }
    return Decision(choice.country, choice.basis, price_for(table, choice.country), table.version, evidence)


def record_decision(uow: UnitOfWork, user_id: int, occasion: Occasion, decision: Decision) -> None:
    """Keeps the decision and its evidence; it is what the user is shown from now on."""
    member = lock_member(uow, user_id)
    member.price_country_code, member.price_decided_at = decision.country, uow.now
    uow.session.execute(
        insert(PriceDecision).values(
            user_id=user_id,
            decided_at=uow.now,
            occasion=occasion,
            country_code=decision.country,
            currency=decision.prices.currency,
            version=decision.version,
            basis=decision.basis,
            evidence=dict(decision.evidence),
        )
    )


def network_of(address: str) -> str | None:
    """/24 of an IPv4 address, /48 of an IPv6 one: enough to understand a decision, too little to find somebody."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    return str(ipaddress.ip_network(f"{parsed}/{24 if parsed.version == 4 else 48}", strict=False))
