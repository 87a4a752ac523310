"""`admin/price_tables`: versions of the price table."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import select

from jiki_core.db import reading, unit_of_work
from jiki_core.errors import FieldError, ValidationFailed
from jiki_core.http import Blueprint, Reply, policy, reply, timestamp
from jiki_core.security import me
from jiki_payments.commands.edit_price_table import add_price_table, publish_price_table
from jiki_payments.errors import PriceTableNotFound
from jiki_payments.models import PriceTableVersion
from jiki_payments.price_files import UnreadablePriceFile, table_from
from jiki_payments.pricing import PriceTable, load_default_table
from jiki_payments.queries.prices import current_table
from jiki_payments.schemas import PriceTableBody, PriceTableReply, PriceTablesReply

blp = Blueprint("price_tables", __name__, url_prefix="/price_tables", description="Versions of the price table")


@blp.route("")
@policy("payments.administer")
@blp.response(200, PriceTablesReply)
def index() -> Reply:
    """All versions, newest first, the shipped one last."""
    rows = reading().scalars(select(PriceTableVersion).order_by(PriceTableVersion.id.desc())).all()
    in_force = current_table().version
    shapes = [_row(row, row.as_table(), in_force) for row in rows]
    shipped = load_default_table()
    if shipped.version not in {row.version for row in rows}:
        shapes.append(_row(None, shipped, in_force))
    return reply({"price_tables": shapes})


@blp.route("", methods=["POST"])
@policy("payments.administer")
@blp.arguments(PriceTableBody)
@blp.response(201, PriceTableReply)
@blp.raises(ValidationFailed)
def create(body: dict[str, Any]) -> Reply:
    """A draft; it must be complete: every country of ISO 3166 has a currency, every price can be reached and charged."""
    try:
        table = table_from(body)
    except UnreadablePriceFile as error:
        raise ValidationFailed({"price_table": [FieldError("invalid", value=str(error))]}) from error
    with unit_of_work() as uow:
        add_price_table(uow, table, note=body["note"], actor_id=me().user_id)
    return reply({"price_table": _shape(table.version)}, status=201)


@blp.route("/<version>")
@policy("payments.administer")
@blp.response(200, PriceTableReply)
@blp.raises(PriceTableNotFound)
def show(version: str) -> Reply:
    """One version, whole."""
    return reply({"price_table": _shape(version)})


@blp.route("/<version>/publish", methods=["POST"])
@policy("payments.administer")
@blp.response(200, PriceTableReply)
@blp.raises(PriceTableNotFound)
def publish(version: str) -> Reply:
    """Puts it in force, for new checkouts."""
    with unit_of_work() as uow:
        publish_price_table(uow, version, actor_id=me().user_id)
    return reply({"price_table": _shape(version)})


def _shape(version: str) -> dict[str, Any]:
    query = select(PriceTableVersion).where(PriceTableVersion.version == version)
    row = reading().scalar(query.execution_options(populate_existing=True))
    shipped = load_default_table()
    if row is None and version != shipped.version:
        raise PriceTableNotFound()
    table = row.as_table() if row is not None else shipped
    amounts = {code: asdict(one) for code, one in table.amounts_by_currency.items()}
    return {
        **_row(row, table, current_table().version),
        "currency_by_country": dict(table.currency_by_country),
        "amounts": amounts,
    }


def _row(row: PriceTableVersion | None, table: PriceTable, in_force: str) -> dict[str, Any]:
    return {
        "version": table.version,
        "default_currency": table.default_currency,
        "note": row.note if row else None,
        "created_at": timestamp(row.created_at) if row else None,
        "published_at": timestamp(row.published_at) if row else None,
        "in_force": table.version == in_force,
    }
