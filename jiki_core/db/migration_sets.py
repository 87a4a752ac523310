"""Migration sets: the core's and each plugin's linear history, with a version table in the set's own schema.

`flask db` works on all sets in dependency order, under one advisory lock; serving processes only compare heads.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import random
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

if TYPE_CHECKING:  # serving processes only compare heads: Alembic is imported by what needs it
    from alembic.config import Config

ALEMBIC_DIRECTORY = Path(__file__).parent / "alembic"
#: key of the advisory lock under which schemas change
MIGRATION_LOCK = 7_021_988
#: a revision that meets a busy table lets go after `lock_timeout` and comes back so often, so that writers never queue
#: behind it for longer (trust.md 3.4)
LOCK_ATTEMPTS = 12
LOCK_PAUSE_SECONDS = (2.5, 5.0)
_LOCK_NOT_AVAILABLE = "55P03"


class MigrationRefused(Exception):
    """A migration that would lose or break something; says what and what to do."""


@dataclass(frozen=True)
class MigrationSet:
    """`name` is the schema; `versions` the folder of revisions; `requires` the sets that come before it."""

    name: str
    package: str
    versions: Path
    requires: tuple[str, ...] = ()

    def revisions(self) -> list[str]:
        """Revision ids from base to head, read from the files without running them. Raises MigrationRefused."""
        following: dict[str | None, str] = {}
        for path in sorted(self.versions.glob("*.py")):
            constants = _string_constants(path, path.stat().st_mtime_ns)
            if "revision" not in constants:
                continue
            revision, down = constants["revision"], constants.get("down_revision")
            if revision is None or down in following:
                raise MigrationRefused(f"{path}: the history of {self.name} must be one line; it forks after {down}")
            following[down] = revision
        line: list[str] = []
        current = following.get(None)
        while current is not None:
            line.append(current)
            current = following.get(current)
        if len(line) != len(following):
            raise MigrationRefused(f"{self.versions}: a down_revision names no revision of {self.name}")
        return line

    @property
    def head(self) -> str | None:
        line = self.revisions()
        return line[-1] if line else None


@dataclass(frozen=True)
class SetStatus:
    """A set against a database."""

    name: str
    current: str | None
    head: str | None
    #: how many revisions the database lacks; 0 = none
    behind: int
    #: the database has a revision that this code does not know
    is_ahead: bool

    @property
    def is_current(self) -> bool:
        return self.behind == 0 and not self.is_ahead


def set_of_package(name: str, package: str, requires: Sequence[str] = ()) -> MigrationSet | None:
    """The set of an installed package, None when it brings no migrations. Imports nothing but the package's name."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    versions = Path(next(iter(spec.submodule_search_locations))) / "migrations" / "versions"
    return MigrationSet(name, package, versions, tuple(requires)) if versions.is_dir() else None


def core_set() -> MigrationSet:
    return MigrationSet("core", "jiki_core", Path(__file__).parent.parent / "migrations" / "versions")


def set_status(connection: Connection, one: MigrationSet) -> SetStatus:
    """Compares a set's files with the database."""
    line = one.revisions()
    current = current_revision(connection, one.name)
    if current is not None and current not in line:
        return SetStatus(one.name, current, one.head, 0, True)
    done = line.index(current) + 1 if current is not None else 0
    return SetStatus(one.name, current, one.head, len(line) - done, False)


def current_revision(connection: Connection, schema: str) -> str | None:
    """The revision that a schema is at, None when it was never migrated."""
    exists = connection.execute(text("select to_regclass(:name)"), {"name": f"{schema}.alembic_version"}).scalar_one()
    if exists is None:
        return None
    found: str | None = connection.execute(
        text(f'select version_num from "{schema}".alembic_version')
    ).scalar_one_or_none()
    return found


def upgrade(
    engine: Engine,
    sets: Iterable[MigrationSet],
    target: str = "head",
    *,
    pause_seconds: tuple[float, float] = LOCK_PAUSE_SECONDS,
) -> list[str]:
    """Upgrades the sets in the given order; returns the names of those that changed.

    A set whose tables are ahead of its code is left alone: code from before runs against newer tables.
    Raises OperationalError when a table stays locked through all attempts; finished revisions stay. Raises MigrationRefused
    for a schema with tables that no revision of ours made.
    """
    changed = []
    with _locked(engine) as connection:
        for one in sets:
            before = current_revision(connection, one.name)
            connection.commit()
            line = one.revisions()
            if target == "head" and before is not None and (before not in line or before == line[-1]):
                continue  # there already; or the code was rolled back, and newer tables stay as they are
            if before is None:
                _refuse_adoption(connection, one.name)
            _patiently(connection, one, target, pause_seconds)
            if current_revision(connection, one.name) != before:
                changed.append(one.name)
    return changed


def _refuse_adoption(connection: Connection, schema: str) -> None:
    """A schema that was never migrated must be empty: what others made there would be taken for the plugin's and purged."""
    found = list(
        connection.execute(
            text(
                "select tablename from pg_tables where schemaname = :schema and tablename <> 'alembic_version' order by 1"
            ),
            {"schema": schema},
        ).scalars()
    )
    connection.commit()
    if found:
        raise MigrationRefused(
            f"the schema {schema} holds tables that no migration made ({', '.join(found[:5])}); they are not adopted: "
            f"rename the schema (alter schema {schema} rename to …) or drop it, then run this again"
        )


def _patiently(connection: Connection, one: MigrationSet, target: str, pause_seconds: tuple[float, float]) -> None:
    from alembic import command

    for attempt in range(LOCK_ATTEMPTS):
        try:
            command.upgrade(alembic_config(one, connection), target)
            connection.commit()
        except OperationalError as error:
            connection.rollback()
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE or attempt == LOCK_ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(*pause_seconds))
        else:
            return


@dataclass(frozen=True)
class PlannedRevision:
    """A revision that `upgrade` would run."""

    set_name: str
    revision: str
    summary: str
    path: Path


def planned(connection: Connection, one: MigrationSet) -> list[PlannedRevision]:
    """The revisions of a set that the database lacks, in order."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(alembic_config(one, connection))
    line = one.revisions()
    current = current_revision(connection, one.name)
    done = line.index(current) + 1 if current in line else 0 if current is None else len(line)
    found = []
    for revision in line[done:]:
        script = scripts.get_revision(revision)
        assert script is not None, "the line came from the same folder"
        found.append(PlannedRevision(one.name, revision, script.doc, Path(script.path)))
    return found


def planned_sql(connection: Connection, one: MigrationSet) -> str:
    """The statements that `upgrade` would run for a set; empty when there are none."""
    from alembic import command

    if not planned(connection, one):
        return ""
    current = current_revision(connection, one.name)
    config = alembic_config(one, connection)
    buffer = config.output_buffer = io.StringIO()
    command.upgrade(config, "head" if current is None else f"{current}:head", sql=True)
    return buffer.getvalue()


def downgrade(engine: Engine, one: MigrationSet, target: str) -> None:
    """Takes one set down to `target` ("base", a revision, or "-1" for one step).

    Raises MigrationRefused for a revision that it has not, and while tables of others refer to it.
    """
    from alembic import command

    line = one.revisions()
    if target not in ("base", *line) and not re.fullmatch(r"-[1-9]\d*", target):
        raise MigrationRefused(f"{one.name} has no revision {target}; it has base, {', '.join(line)}")
    with _locked(engine) as connection:
        referring = referring_schemas(connection, one.name)
        if target == "base" and referring:
            raise MigrationRefused(f"tables of {', '.join(referring)} refer to {one.name}; take those down first")
        connection.commit()
        command.downgrade(alembic_config(one, connection), target)
        connection.commit()


def new_revision(engine: Engine, one: MigrationSet, message: str, *, autogenerate: bool) -> Path:
    """Writes the next revision file of a set and returns its path."""
    from alembic import command

    number = len(one.revisions()) + 1
    with engine.connect() as connection:
        script = command.revision(
            alembic_config(one, connection),
            message=message,
            autogenerate=autogenerate,
            rev_id=f"{one.name}_{number:04d}",
        )
    assert script is not None
    assert not isinstance(script, list)
    return Path(script.path)


def differences(engine: Engine, one: MigrationSet) -> list[str]:
    """What autogenerate would propose for a set: how its models differ from its tables."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from jiki_core.db.model import Model

    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "version_table_schema": one.name,
                "compare_type": True,
                "include_name": lambda name, kind, _parents: name == one.name if kind == "schema" else True,
                "include_object": lambda table, _name, kind, _reflected, _other: (
                    kind != "table" or table.schema == one.name
                ),
            },
        )
        return [str(change) for change in compare_metadata(context, Model.metadata)]


def alembic_config(one: MigrationSet, connection: Connection | None) -> Config:
    """What Alembic's commands need for a set; without a connection they can print SQL only."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(ALEMBIC_DIRECTORY))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", str(one.versions))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes.update(plugin=one.name, connection=connection)
    return config


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    """One connection with the advisory lock and the time-outs of migrations."""
    with engine.connect() as connection:
        connection.execute(text("set statement_timeout = '10min'"))
        connection.execute(text("set lock_timeout = '4s'"))
        connection.execute(text("set idle_in_transaction_session_timeout = 0"))
        connection.execute(text("select pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()
        try:
            yield connection
        finally:
            connection.rollback()
            connection.execute(text("select pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
            connection.commit()
            connection.invalidate()  # the session settings above must not return to the pool


def referring_schemas(connection: Connection, schema: str) -> list[str]:
    """Other schemas with foreign keys to this one, sorted."""
    return list(
        connection.execute(
            text(
                "select distinct own.nspname from pg_constraint c join pg_class t on t.oid = c.conrelid "
                "join pg_namespace own on own.oid = t.relnamespace join pg_class f on f.oid = c.confrelid "
                "join pg_namespace other on other.oid = f.relnamespace "
                "where c.contype = 'f' and other.nspname = :schema and own.nspname <> :schema order by 1"
            ),
            {"schema": schema},
        ).scalars()
    )


@lru_cache(maxsize=1_024)
def _string_constants(path: Path, changed_at: int) -> Mapping[str, str | None]:
    """Top-level `name = "text"` and `name = None` of a revision file, as of `changed_at`."""
    found: dict[str, str | None] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = getattr(node, "value", None)
        if isinstance(value, ast.Constant) and (value.value is None or isinstance(value.value, str)):
            for target in targets:
                if isinstance(target, ast.Name):
                    found[target.id] = value.value
    return found
