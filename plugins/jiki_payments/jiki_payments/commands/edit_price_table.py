"""New versions of the price table, and which one is in force."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from jiki_core.db import UnitOfWork
from jiki_core.errors import FieldError, ValidationFailed
from jiki_payments.errors import PriceTableNotFound
from jiki_payments.jobs import push_stripe_prices
from jiki_payments.models import PriceTableVersion
from jiki_payments.pricing import PriceTable
from jiki_payments.settings import payments_settings


def add_price_table(
    uow: UnitOfWork, table: PriceTable, *, note: str | None = None, actor_id: int | None = None
) -> None:
    """A draft, complete and correct. Raises ValidationFailed with a sentence for each mistake, or for a taken version."""
    if mistakes := table.check():
        raise ValidationFailed({"price_table": [FieldError("invalid", value=mistake) for mistake in mistakes]})
    added = uow.session.execute(
        insert(PriceTableVersion)
        .values(
            version=table.version,
            default_currency=table.default_currency,
            currency_by_country=dict(table.currency_by_country),
            amounts={code: asdict(amounts) for code, amounts in table.amounts_by_currency.items()},
            note=note,
            created_by=actor_id,
            created_at=uow.now,
        )
        .on_conflict_do_nothing(index_elements=[PriceTableVersion.version])
        .returning(PriceTableVersion.id)
    ).scalar_one_or_none()
    if added is None:
        raise ValidationFailed({"version": [FieldError("taken", value=table.version)]})
    _audit(uow, "price_table:added", table.version, note, actor_id)


def publish_price_table(uow: UnitOfWork, version: str, *, actor_id: int | None = None) -> None:
    """From now on it is in force, for new checkouts; who has a subscription keeps its price. Raises PriceTableNotFound."""
    row = uow.session.scalar(select(PriceTableVersion).where(PriceTableVersion.version == version).with_for_update())
    if row is None:
        raise PriceTableNotFound()
    row.published_at = uow.now
    _audit(uow, "price_table:published", version, None, actor_id)
    if payments_settings().stripe_secret_key:
        uow.enqueue(push_stripe_prices)


def _audit(uow: UnitOfWork, action: str, version: str, note: str | None, actor_id: int | None) -> None:
    uow.audit(action, actor_id=actor_id, target_type="price_table", target_id=version, reason=note, plugin="payments")
