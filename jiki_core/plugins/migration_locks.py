"""What a revision's statements lock, and whether the code from before can still run against the tables afterwards.

The modes are those of PostgreSQL's manual (explicit locking; ALTER TABLE; CREATE INDEX). Tables that the revision itself
creates have no other users and are left out.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jiki_core.db.migration_sets import MigrationSet, alembic_config


@dataclass(frozen=True, slots=True)
class Lock:
    """One statement on a table that others use."""

    #: as in PostgreSQL, e.g. "ACCESS EXCLUSIVE"
    mode: str
    table: str
    #: what it does and for how long, in words
    what: str
    #: why code from before the revision fails afterwards; empty when it does not
    breaks: str = ""

    def sentence(self) -> str:
        return f"{self.mode} on {self.table}: {self.what}"


_TABLE = r'(?:ONLY\s+)?(?P<table>[\w".]+)'
_BRIEF = "reads and writes wait for a moment"
_SCAN = "reads and writes wait while every row is checked"
_REWRITE = "reads and writes wait while the table is written anew"
_WRITES = "writes wait while every row is read"
#: (pattern, mode, what it does, why the code from before fails); the first that fits counts
_ALTERATIONS: tuple[tuple[str, str, str, str], ...] = (
    (
        r"ADD COLUMN (?!.*\b(?:DEFAULT|GENERATED)\b).*\bNOT NULL\b",
        "ACCESS EXCLUSIVE",
        _BRIEF,
        "it inserts rows without the new column",
    ),
    (r"ADD COLUMN .*\bREFERENCES\b", "ACCESS EXCLUSIVE", _BRIEF, ""),
    (r"ADD COLUMN", "ACCESS EXCLUSIVE", _BRIEF, ""),
    (r"DROP COLUMN", "ACCESS EXCLUSIVE", _BRIEF, "it reads the column that goes"),
    (r"RENAME", "ACCESS EXCLUSIVE", _BRIEF, "it uses the name from before"),
    (r"ALTER COLUMN .* TYPE ", "ACCESS EXCLUSIVE", _REWRITE, "it expects the type from before"),
    (r"ALTER COLUMN .* SET NOT NULL", "ACCESS EXCLUSIVE", _SCAN, "it may write nothing into the column"),
    (r"ALTER COLUMN", "ACCESS EXCLUSIVE", _BRIEF, ""),
    (r"VALIDATE CONSTRAINT", "SHARE UPDATE EXCLUSIVE", "nobody waits; every row is checked", ""),
    (r"ADD CONSTRAINT .*FOREIGN KEY.*NOT VALID", "SHARE ROW EXCLUSIVE", "writes wait for a moment", ""),
    (r"ADD CONSTRAINT .*FOREIGN KEY", "SHARE ROW EXCLUSIVE", "writes wait while every row is checked", ""),
    (r"ADD CONSTRAINT .*NOT VALID", "ACCESS EXCLUSIVE", _BRIEF, ""),
    (r"ADD CONSTRAINT .*USING INDEX", "ACCESS EXCLUSIVE", _BRIEF, ""),
    (r"ADD CONSTRAINT .*CHECK", "ACCESS EXCLUSIVE", _SCAN, ""),
    (r"ADD CONSTRAINT", "ACCESS EXCLUSIVE", "reads and writes wait while an index is built", ""),
    (r"", "ACCESS EXCLUSIVE", _BRIEF, ""),
)
_STATEMENTS: tuple[tuple[str, str, str, str], ...] = (
    (rf"CREATE (?:UNIQUE )?INDEX CONCURRENTLY .*?\bON {_TABLE}", "SHARE UPDATE EXCLUSIVE", "nobody waits", ""),
    (rf"CREATE (?:UNIQUE )?INDEX .*?\bON {_TABLE}", "SHARE", _WRITES, ""),
    (rf"DROP TABLE (?:IF EXISTS )?{_TABLE}", "ACCESS EXCLUSIVE", _BRIEF, "it uses the table that goes"),
    (rf"TRUNCATE (?:TABLE )?{_TABLE}", "ACCESS EXCLUSIVE", _BRIEF, ""),
    (rf"LOCK TABLE {_TABLE}", "ACCESS EXCLUSIVE", "until the revision ends", ""),
    (rf"(?:UPDATE|DELETE FROM|INSERT INTO) {_TABLE}", "ROW EXCLUSIVE", "writers of the same rows wait", ""),
)
_REFERENCES = re.compile(r'REFERENCES\s+([\w".]+)', re.IGNORECASE)


def revision_sql(one: MigrationSet, before: str | None, revision: str) -> str:
    """The statements of one revision without a database. Raises whatever a revision raises that reads rows to decide."""
    from alembic import command  # imported by `flask` commands only

    config = alembic_config(one, None)
    buffer = config.output_buffer = io.StringIO()
    command.upgrade(config, f"{before or 'base'}:{revision}", sql=True)
    return buffer.getvalue()


def revisions_with_locks(one: MigrationSet) -> dict[str, dict[str, Any]]:
    """Revision -> {"locks": sentences, "breaks": sentences}, in order; one that reads rows says so instead."""
    found: dict[str, dict[str, Any]] = {}
    before: str | None = None
    for revision in one.revisions():
        try:
            locks = list(locks_of(revision_sql(one, before, revision)))
        except Exception as error:  # a revision may do anything; only running it tells
            told = f"it decides by the rows that it finds ({type(error).__name__}); read it"
            found[revision] = {"locks": [told], "breaks": []}
        else:
            found[revision] = {
                "locks": list(dict.fromkeys(lock.sentence() for lock in locks)),
                "breaks": list(dict.fromkeys(f"{lock.table}: {lock.breaks}" for lock in locks if lock.breaks)),
            }
        before = revision
    return found


def locks_of(sql: str) -> Iterator[Lock]:
    """The locks that the statements take on tables which exist before them."""
    statements = [" ".join(one.split()) for one in re.split(r";\s*(?:\n|$)", re.sub(r"--[^\n]*", "", sql))]
    made = {
        _plain(found["table"])
        for one in statements
        if (found := re.match(rf"CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?{_TABLE}", one, re.IGNORECASE))
    }
    for statement in statements:
        for lock in _locks(statement):
            if lock.table not in made and not lock.table.endswith("alembic_version"):
                yield lock


def _locks(statement: str) -> Iterator[Lock]:
    altered = re.match(rf"ALTER TABLE (?:IF EXISTS )?{_TABLE} (?P<rest>.*)", statement, re.IGNORECASE)
    if altered:
        rest = altered["rest"]
        mode, what, breaks = next(
            (mode, what, breaks)
            for pattern, mode, what, breaks in _ALTERATIONS
            if re.match(pattern, rest, re.IGNORECASE)
        )
        yield Lock(mode, _plain(altered["table"]), f"{_summary(rest)}; {what}", breaks)
    else:
        for pattern, mode, what, breaks in _STATEMENTS:
            found = re.match(pattern, statement, re.IGNORECASE)
            if found:
                yield Lock(mode, _plain(found["table"]), f"{_summary(statement)}; {what}", breaks)
                break
    if re.match(r"CREATE TABLE|ALTER TABLE", statement, re.IGNORECASE):
        for target in dict.fromkeys(_REFERENCES.findall(statement)):
            yield Lock("SHARE ROW EXCLUSIVE", _plain(target), "a foreign key refers to it; writes wait for a moment")


def _summary(text: str) -> str:
    """The first words of a statement, without what is in brackets."""
    return re.split(r"[(;]", text)[0].strip()[:70]


def _plain(name: str) -> str:
    return name.replace('"', "").rstrip(";")
