"""Why somebody got a price: the evidence of each decision, and the moves of subscriptions to the right price."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CHAR, CheckConstraint, DateTime, ForeignKey, Index, SmallInteger, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import IdentityKey, Timestamp
from jiki_payments.models.base import PaymentsModel


class Occasion(StrEnum):
    """When a price was decided."""

    CHECKOUT = "checkout"
    #: the user asked to have it decided again
    REFRESH = "refresh"
    #: an operator said where the user is
    OPERATOR = "operator"
    #: the card that paid was issued elsewhere
    CARD = "card"


class PriceDecision(PaymentsModel):
    """Append-only. The address is kept as its network (/24 or /48) only."""

    __tablename__ = "price_decisions"

    id: Mapped[IdentityKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"))
    decided_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    occasion: Mapped[str] = mapped_column(Text)
    #: null = the standard price
    country_code: Mapped[str | None] = mapped_column(CHAR(2))
    currency: Mapped[str] = mapped_column(Text)
    #: of the price table
    version: Mapped[str] = mapped_column(Text)
    #: the rule that decided, see price_rules.Basis
    basis: Mapped[str] = mapped_column(Text)
    #: what was known: header, geoip, account, verdict, network, card_country, note
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB)

    __table_args__ = (Index("price_decisions_user_id_idx", "user_id", "id"),)


class MoveState(StrEnum):
    #: decided; nothing was done at Stripe
    PLANNED = "planned"
    #: the old subscription is ended, the new one runs
    DONE = "done"
    #: it ended, or moved, before we could
    MOOT = "moot"


class PriceMove(PaymentsModel):
    """A subscription paid by a card of another country goes on at the standard price, after what was paid for."""

    __tablename__ = "price_moves"

    subscription_id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"))
    from_currency: Mapped[str] = mapped_column(Text)
    to_currency: Mapped[str] = mapped_column(Text)
    card_country: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default=text("'planned'"))
    #: set before anything is done at Stripe, with what a repeat must do in the same way
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    interval: Mapped[str | None] = mapped_column(Text)
    customer_id: Mapped[str | None] = mapped_column(Text)
    payment_method_id: Mapped[str | None] = mapped_column(Text)
    #: days for which the old subscription was paid
    trial_days: Mapped[int | None] = mapped_column(SmallInteger)
    new_subscription_id: Mapped[str | None] = mapped_column(Text)
    planned_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("state in ('planned', 'done', 'moot')", name="state"),
        Index("price_moves_user_id_idx", "user_id"),
    )
