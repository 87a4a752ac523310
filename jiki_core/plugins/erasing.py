"""Export and erasure of one person over the core and every plugin that has tables: running, disabled or uninstalled."""

from __future__ import annotations

import decimal
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, text

from jiki_core.contracts import AccountErasure, ask
from jiki_core.db import UnitOfWork, reading
from jiki_core.db.migration_sets import current_revision
from jiki_core.db.records import PluginRecord
from jiki_core.plugins.core_traces import erase_traces, export_traces
from jiki_core.plugins.host import PluginHost
from jiki_core.plugins.personal_data import stored_form
from jiki_core.plugins.resolve import requirement_names
from jiki_core.storage.attachments import forget_files_of

SCHEMA_VERSION = 1

#: the core's own tables with a user's id; for the others see `core_traces`
CORE_TABLES: Mapping[str, Any] = {
    "tables": [
        {"table": "notifications", "column": "user_id", "export": ["type", "data", "created_at", "read_at"]},
        {"table": "muted_notifications", "column": "user_id", "export": ["type", "muted_at"]},
        {"table": "idempotency_keys", "column": "user_id", "export": ["key", "route", "created_at"]},
        {"table": "tracking_events", "column": "user_id", "export": ["name", "properties", "occurred_at"]},
        {"table": "uploads", "column": "user_id", "export": ["kind", "filename", "byte_size", "created_at"]},
        {
            "table": "blobs",
            "column": "user_id",
            "export": ["id", "kind", "filename", "content_type", "byte_size", "sha256", "created_at"],
        },
    ]
}


class ErasureRefused(Exception):
    """Something outside could not be ended; nothing was erased."""


def personal_maps(host: PluginHost) -> dict[str, Mapping[str, Any]]:
    """Plugin -> its declarations in stored form, the core and dependencies first; from records for what is not loaded."""
    found: dict[str, Mapping[str, Any]] = {"core": CORE_TABLES}
    for name, loaded in host.loaded.items():
        found[name] = stored_form(loaded.contributions.models, loaded.contributions.personal_data)
    rows = reading().execute(select(PluginRecord.name, PluginRecord.personal_data, PluginRecord.requires)).all()
    waiting = [row for row in rows if row.name not in found]
    while waiting:
        names = {row.name for row in waiting}
        ready = next((row for row in waiting if not names & set(requirement_names(row.requires))), waiting[0])
        found[ready.name] = ready.personal_data
        waiting.remove(ready)
    return found


def export_person(host: PluginHost, user_id: int, addresses: Sequence[str] = ()) -> dict[str, Any]:
    """Everything declared for export, by plugin and table, in JSON values; one query a table.

    `addresses` are the person's mail addresses, under which the core keeps suppressions and messages.
    """
    connection = reading().connection()
    sections: dict[str, Any] = {}
    for plugin, declared in personal_maps(host).items():
        if plugin != "core" and current_revision(connection, plugin) is None:
            continue
        for entry in declared.get("tables", []):
            if entry["export"]:
                rows = _rows(connection, plugin, entry, user_id)
                sections.setdefault(plugin, {}).setdefault(entry["table"], []).extend(rows)
    for table, rows in export_traces(reading(), user_id, addresses).items():
        sections["core"][table] = [{name: _json_value(value) for name, value in row.items()} for row in rows]
    return {
        "schema_version": SCHEMA_VERSION,
        "user_id": user_id,
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "plugins": sections,
        "retained": retained(host),
    }


def retained(host: PluginHost) -> dict[str, str]:
    """Table -> why an erasure leaves its rows."""
    kept = {
        f"{plugin}.{entry['table']}": entry["reason"]
        for plugin, declared in personal_maps(host).items()
        for entry in declared.get("tables", [])
        if entry.get("erasure") == "retain"
    }
    return {**kept, "core.audit_events": "who did what stays provable; values are removed, ids stay"}


def prepare_erasure(user_id: int) -> None:
    """Lets plugins end what lies outside. No unit is open. Raises ErasureRefused when one could not."""
    if not ask(AccountErasure).prepare(user_id):
        raise ErasureRefused("a plugin could not end what this account has outside (subscriptions, …); try again later")


def erase_person(uow: UnitOfWork, host: PluginHost, user_id: int, *, addresses: Sequence[str], reason: str) -> int:
    """Applies every declaration; returns how many rows changed. A second time it finds nothing more to do.

    `addresses` are the person's mail addresses, which old outbox rows may hold; call `prepare_erasure` first.
    """
    connection = uow.session.connection()
    changed = erase_traces(uow, user_id, addresses) + forget_files_of(uow, user_id)
    maps = personal_maps(host)
    # Whoever keeps the users themselves comes last: closing the account is theirs, and takes rows of others with it.
    keepers = [plugin for plugin, declared in maps.items() if any(map(_is_subject, declared.get("tables", [])))]
    for plugin in reversed([one for one in maps if one not in keepers]):
        changed += _erase_plugin(connection, plugin, maps[plugin], user_id)
    if not ask(AccountErasure).close(uow, user_id, reason):
        raise ErasureRefused("the account could not be closed; nothing was erased")
    for plugin in reversed(keepers):
        changed += _erase_plugin(connection, plugin, maps[plugin], user_id)
    uow.audit("user:erased", target_type="user", target_id=user_id, reason=reason, after={"rows": changed})
    return changed


def _erase_plugin(connection: Connection, plugin: str, declared: Mapping[str, Any], user_id: int) -> int:
    """The longest path first: it needs the rows that shorter ones lead to."""
    if plugin != "core" and current_revision(connection, plugin) is None:
        return 0
    entries = sorted(declared.get("tables", []), key=lambda one: -len(one.get("steps", [])))
    return sum(_erase(connection, plugin, entry, user_id) for entry in entries)


def _is_subject(entry: Mapping[str, Any]) -> bool:
    return entry["column"] == "id" and not entry.get("steps")


def _erase(connection: Connection, plugin: str, entry: Mapping[str, Any], user_id: int) -> int:
    kind, table = entry.get("erasure", "delete"), _quoted(plugin, entry["table"])
    if kind == "retain":
        return 0
    parameters: dict[str, Any] = {"user_id": user_id}
    if kind == "anonymise":
        assignments = []
        for number, (column, value) in enumerate(entry["values"].items()):
            assignments.append(f'"{column}" = :value_{number}')
            parameters[f"value_{number}"] = value
        statement = f"update {table} set {', '.join(assignments)} where {_condition(entry)}"
    else:
        statement = f"delete from {table} where {_condition(entry)}"
    return connection.execute(text(statement), parameters).rowcount


def _rows(connection: Connection, plugin: str, entry: Mapping[str, Any], user_id: int) -> list[dict[str, Any]]:
    columns = ", ".join(f'"{name}"' for name in entry["export"])
    statement = f"select {columns} from {_quoted(plugin, entry['table'])} where {_condition(entry)}"
    found = connection.execute(text(statement), {"user_id": user_id}).mappings()
    return [{name: _json_value(value) for name, value in row.items()} for row in found]


def _condition(entry: Mapping[str, Any]) -> str:
    """`"a" in (select "id" from t where "user_id" = :user_id)`, nested along the steps. Names are the code's own."""
    condition = f'"{entry["column"]}" = :user_id'
    for column, target, target_column in reversed(entry.get("steps", [])):
        schema, _, table = target.partition(".")
        condition = f'"{column}" in (select "{target_column}" from {_quoted(schema, table)} where {condition})'
    return condition


def _quoted(schema: str, table: str) -> str:
    return f'"{schema}"."{table}"'


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if value is None or isinstance(value, str | int | float | bool | list | dict):
        return value
    return str(value)
