"""The inbox of Stripe's notices: each event once, by its id, and what became of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import Timestamp
from jiki_payments.models.base import PaymentsModel


class NoticeState(StrEnum):
    #: received; a job will handle it
    NEW = "new"
    HANDLED = "handled"
    #: of a kind that changes nothing here
    IGNORED = "ignored"
    #: of a kind that nobody here knows: counted, and worth a look
    UNKNOWN = "unknown"
    #: cannot be handled as things are (`reason`): an alert, no retry; `flask payments replay --parked` after the repair
    PARKED = "parked"


class StripeNotice(PaymentsModel):
    """Kept without its object: whoever handles it asks Stripe how things are by then."""

    __tablename__ = "stripe_notices"

    event_id: Mapped[str] = mapped_column(Text, primary_key=True)
    type: Mapped[str] = mapped_column(Text)
    object_type: Mapped[str] = mapped_column(Text)
    object_id: Mapped[str] = mapped_column(Text)
    #: when it happened, by Stripe's clock
    happened_at: Mapped[Timestamp]
    received_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    handled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    state: Mapped[str] = mapped_column(Text, server_default=text("'new'"))
    reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint("state in ('new', 'handled', 'ignored', 'unknown', 'parked')", name="state"),
        Index("stripe_notices_happened_at_idx", "happened_at"),
        Index("stripe_notices_open_idx", "state", postgresql_where=text("state in ('new', 'parked')")),
    )
