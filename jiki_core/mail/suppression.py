"""Suppression: addresses that get no mail of some or all categories, and what bounces and complaints do to them.

contract.md section 1, "mail": a hard bounce stops everything, a complaint or a keyless unsubscribe stops marketing and
notifications, never security and account mail, and is reversible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from sqlalchemy import CheckConstraint, Text, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from jiki_core.db import CoreModel, Timestamp, UnitOfWork
from jiki_core.events import Event
from jiki_core.mail.templates import Category
from jiki_core.observability import counter

Cause = Literal["bounce", "complaint", "unsubscribe"]
#: cause -> the categories it stops
STOPPED: dict[Cause, frozenset[Category]] = {
    "bounce": frozenset({"transactional", "notifications", "marketing"}),
    "complaint": frozenset({"notifications", "marketing"}),
    "unsubscribe": frozenset({"notifications", "marketing"}),
}

_suppressed = counter("jiki_mail_suppressions_total", "Addresses that were suppressed", ["cause"])


class MailSuppression(CoreModel):
    """One reason why an address gets no mail; it goes with the address, so a changed address starts clean."""

    __tablename__ = "mail_suppressions"

    #: in small letters
    address: Mapped[str] = mapped_column(Text, primary_key=True)
    cause: Mapped[str] = mapped_column(Text, primary_key=True)
    #: what the provider said
    detail: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())

    __table_args__ = (CheckConstraint("cause in ('bounce', 'complaint', 'unsubscribe')", name="cause"),)


@dataclass(frozen=True)
class AddressSuppressed(Event):
    """An address was suppressed for the first time for this cause; emitted by `suppress`. `cause` is a `Cause`."""

    name: ClassVar[str] = "core.address_suppressed"
    address: str
    cause: str
    detail: str | None


def suppress(uow: UnitOfWork, address: str, cause: Cause, detail: str | None = None) -> bool:
    """Stops mail to an address; True when that is new. Called by whoever hears of bounces, and by unsubscribe pages."""
    is_new = uow.session.execute(
        insert(MailSuppression)
        .values(address=_normal(address), cause=cause, detail=detail)
        .on_conflict_do_nothing()
        .returning(MailSuppression.address)
    ).scalar_one_or_none()
    if is_new is None:
        return False
    _suppressed.labels(cause).inc()
    uow.emit(AddressSuppressed(_normal(address), cause, detail))
    return True


def lift(uow: UnitOfWork, address: str, *causes: Cause) -> int:
    """Takes suppressions back, all causes when none is named; returns how many there were."""
    query = delete(MailSuppression).where(MailSuppression.address == _normal(address))
    if causes:
        query = query.where(MailSuppression.cause.in_(causes))
    return len(uow.session.execute(query.returning(MailSuppression.cause)).all())


def causes_of(session: Session, address: str) -> frozenset[Cause]:
    """Why an address is suppressed; empty when it is not."""
    found = session.scalars(select(MailSuppression.cause).where(MailSuppression.address == _normal(address)))
    return frozenset(found.all())  # type: ignore[arg-type]  # the table's check says which


def may_receive(session: Session, address: str, category: Category) -> bool:
    """Whether mail of this category may go to the address."""
    return not any(category in STOPPED[cause] for cause in causes_of(session, address))


def _normal(address: str) -> str:
    return address.strip().lower()
