"""An operator's word on where a user is, for those who moved or whose evidence misleads."""

from __future__ import annotations

from jiki_core.db import UnitOfWork
from jiki_payments.commands.decide_price import Decision, record_decision
from jiki_payments.commands.member import account_of, lock_member
from jiki_payments.models import Occasion
from jiki_payments.price_rules import Whereabouts, locate
from jiki_payments.pricing import price_for
from jiki_payments.queries.prices import current_table


def set_country(
    uow: UnitOfWork, user_id: int, country: str | None, *, note: str, actor_id: int | None = None
) -> Decision:
    """Wins over all evidence until it is taken back (None). A running subscription keeps its price. Raises NotFound."""
    member = lock_member(uow, user_id)
    before = member.price_override
    member.price_override = country
    account = account_of(user_id)
    choice = locate(Whereabouts(operator=country, account=account.country_code if account else None))
    table = current_table()
    prices = price_for(table, choice.country)
    decision = Decision(choice.country, choice.basis, prices, table.version, {"operator": country, "note": note})
    record_decision(uow, user_id, Occasion.OPERATOR, decision)
    uow.audit(
        "price_country:set",
        actor_id=actor_id,
        target_type="user",
        target_id=user_id,
        before={"country": before},
        after={"country": country},
        reason=note,
        plugin="payments",
    )
    return decision
