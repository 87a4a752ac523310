"""Migrations of plugins that come and go: plans, busy tables, invalid indexes, leftovers, and the purge."""

from __future__ import annotations

import csv
import io
import json
import threading
import zipfile

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from jiki_core.db import db
from jiki_core.db import migration_sets as sets_module
from jiki_core.db.migration_sets import MigrationSet, core_set, planned, planned_sql, upgrade
from jiki_core.testing.pytest_plugin import _make_app
from tests.plugin_factory import PluginFolder

MODELS = """
from __future__ import annotations
from sqlalchemy import Text{imports}
from sqlalchemy.orm import Mapped, mapped_column
from jiki_core.db import IdentityKey, Model

class Base(Model):
    __abstract__ = True
    __plugin__ = "{name}"

class Note(Base):
    __tablename__ = "notes"
    id: Mapped[IdentityKey]
    text: Mapped[str] = mapped_column(Text)
{column}
"""
HOOK = """
    @hookimpl
    def jiki_models(self) -> Sequence[type[Model]]:
        from acme_{name}.models import Note

        return [Note]
"""
REVISION = '''
"""first table"""

import sqlalchemy as sa
from alembic import op

revision = "{name}_0001"
down_revision = None


def upgrade():
    op.create_table(
        "notes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        {column}
        sa.PrimaryKeyConstraint("id", name="notes_pkey"),
        schema="{name}",
    )
    {index}


def downgrade():
    op.drop_table("notes", schema="{name}")
'''


def add_plugin(folder, name, *, refers_to=None):
    column = imports = sql_column = index = ""
    if refers_to:
        imports = ", ForeignKey"
        key = f'ForeignKey("{refers_to}.notes.id", ondelete="CASCADE"), index=True'
        column = f"    other_id: Mapped[int | None] = mapped_column({key})"
        sql_key = f'sa.ForeignKey("{refers_to}.notes.id", ondelete="CASCADE", name="notes_other_id_fkey")'
        sql_column = f'sa.Column("other_id", sa.BigInteger(), {sql_key}),'
        index = f'op.create_index("notes_other_id_idx", "notes", ["other_id"], schema="{name}")'
    folder.add(
        name,
        HOOK.format(name=name),
        attributes=f'requires = ("{refers_to}",)' if refers_to else "",
        files={
            "models.py": MODELS.format(name=name, column=column, imports=imports),
            f"migrations/versions/{name}_0001_first.py": REVISION.format(name=name, column=sql_column, index=index),
        },
    )


@pytest.fixture
def database(services, tmp_path):
    name = f"jiki_purge_{tmp_path.name.replace('-', '_')[:40].lower()}"
    return {"DATABASE_URL": services.create_database(name), "REDIS_URL": services.redis_url_of(59)}


@pytest.fixture
def folder(tmp_path):
    made = PluginFolder(tmp_path)
    add_plugin(made, "notes")
    add_plugin(made, "more_notes", refers_to="notes")
    return made


def query(database, statement):
    with psycopg.connect(database["DATABASE_URL"], autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_the_plan_names_revisions_and_prints_their_sql_and_changes_nothing(folder, database):
    done = folder.flask("db", "plan", **database)
    assert done.returncode == 0, done.stderr
    assert "notes            notes_0001               first table" in done.stdout
    printed = folder.flask("db", "plan", "--sql", "--plugin", "notes", **database)
    assert "CREATE TABLE notes.notes" in printed.stdout, printed.stderr
    assert query(database, "select 1 from pg_tables where tablename = 'notes'") == []
    assert folder.flask("db", "upgrade", **database).returncode == 0
    assert folder.flask("db", "plan", **database).stdout == "nothing to upgrade\n"


def test_purging_keeps_an_export_leaves_no_reference_and_a_reinstall_is_like_the_first(folder, database):
    assert folder.flask("db", "upgrade", **database).returncode == 0
    query(database, "insert into notes.notes (text) values ('a, b'), ('c')")
    query(
        database,
        "insert into core.seed_records (key) values ('notes.first'), ('more_notes.first'), ('notesXfirst')",
    )
    fresh = query(database, "select tablename from pg_tables where schemaname = 'notes' order by 1")
    refused = folder.flask("plugins", "purge", "notes", "--confirm", "notes", enabled=[], **database)
    assert refused.returncode == 1
    assert "tables of more_notes refer to notes; purge those first" in refused.stderr
    in_use = folder.flask("plugins", "purge", "notes", "--confirm", "notes", **database)
    assert "notes is in use" in in_use.stderr
    wrong = folder.flask("plugins", "purge", "more_notes", "--confirm", "more", enabled=[], **database)
    assert "that is another name; nothing was dropped" in wrong.stderr
    missed = folder.flask("plugins", "purge", "noted", "--confirm", "noted", enabled=[], **database)
    assert "there is nothing of noted in the database; did you mean notes?" in missed.stderr
    for name in ("more_notes", "notes"):
        target = f"{name}.zip"
        done = folder.flask("plugins", "purge", name, "--confirm", name, "--export", target, enabled=[], **database)
        assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(folder.path / "notes.zip") as archive:
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open("notes.csv"))))
        assert [row["text"] for row in rows] == ["a, b", "c"]
        assert json.loads(archive.read("manifest.json"))["rows"] == {"notes": 2}
    assert query(database, "select 1 from pg_namespace where nspname in ('notes', 'more_notes')") == []
    assert query(database, "select name from core.plugin_records") == []
    assert query(database, "select key from core.seed_records") == [("notesXfirst",)]
    assert [row[0] for row in query(database, "select target_id from core.audit_events order by id")] == [
        "more_notes",
        "notes",
    ]
    assert folder.flask("db", "upgrade", **database).returncode == 0
    assert query(database, "select tablename from pg_tables where schemaname = 'notes' order by 1") == fresh
    assert query(database, "select count(*) from notes.notes") == [(0,)]


def test_a_purge_takes_what_the_core_keeps_under_the_plugins_name_and_nothing_of_others(folder, database):
    assert folder.flask("db", "upgrade", **database).returncode == 0
    for owner in ("notes", "more_notes"):
        query(
            database,
            f"""
            insert into core.muted_notifications (user_id, type) values (1, '{owner}.praise');
            insert into core.tracking_events (id, name, properties, occurred_at)
                values (gen_random_uuid(), '{owner}.seen', '{{}}', now());
            insert into core.uploads (id, user_id, service, kind, filename, content_type, byte_size, sha256, expires_at)
                values (gen_random_uuid(), 1, 'disk', '{owner}.sketch', 'a.png', 'image/png', 1, sha256('x'), now());
            with kept as (
                insert into core.blobs (id, service, key, kind, filename, content_type, byte_size, sha256) values
                (gen_random_uuid(), 'disk', 'blobs/{owner}', '{owner}.sketch', 'a.png', 'image/png', 1, sha256('x')) returning id
            ) insert into core.attachments (record_type, record_id, name, blob_id)
                select '{owner}.notes', '1', 'sketch', id from kept
            """,
        )
    done = folder.flask(
        "plugins", "purge", "more_notes", "--confirm", "more_notes", "--no-export", enabled=[], **database
    )
    assert done.returncode == 0, done.stderr
    for table, column in (
        ("muted_notifications", "type"),
        ("tracking_events", "name"),
        ("uploads", "kind"),
        ("blobs", "kind"),
        ("attachments", "record_type"),
    ):
        (kept,) = query(database, f"select {column} from core.{table}")
        assert kept[0].startswith("notes."), (table, kept)
    deleted = query(database, "select payload -> 'keys' from core.outbox where name = 'core.delete_objects'")
    assert "blobs/more_notes" in deleted[0][0]
    assert len(deleted[0][0]) == 2, "the file, and the upload that was to become one"


def test_tables_of_a_package_that_is_gone_are_leftover_and_can_be_purged(folder, database, tmp_path):
    assert folder.flask("db", "upgrade", **database).returncode == 0
    (tmp_path / "empty").mkdir()
    without = PluginFolder(tmp_path / "empty")
    status = without.flask("db", "status", **database)
    assert status.returncode == 0, status.stderr
    assert "not installed; its tables stay until `flask plugins purge more_notes`" in status.stdout
    assert without.flask("db", "upgrade", **database).returncode == 0, "leftovers hinder nobody"
    for name in ("more_notes", "notes"):
        done = without.flask("plugins", "purge", name, "--no-export", "--confirm", name, **database)
        assert done.returncode == 0, done.stderr
    assert without.flask("plugins", "purge", "notes", "--confirm", "notes", **database).returncode == 1


def test_a_disabled_plugin_with_tables_is_still_upgraded_and_its_record_keeps_its_tables(folder, database):
    assert folder.flask("db", "upgrade", **database).returncode == 0
    assert folder.flask("db", "upgrade", enabled=[], **database).returncode == 0
    assert query(database, "select name, tables from core.plugin_records order by 1") == [
        ("more_notes", ["notes"]),
        ("notes", ["notes"]),
    ]
    status = folder.flask("db", "status", enabled=[], **database)
    assert "notes            notes_0001" in status.stdout


def fork_the_history_of(folder, name):
    versions = folder.path / f"acme_{name}" / "migrations" / "versions"
    first = (versions / f"{name}_0001_first.py").read_text()
    for word in ("left", "right"):
        source = first.replace(f"{name}_0001", f"{name}_{word}")
        source = source.replace("down_revision = None", f'down_revision = "{name}_0001"')
        (versions / f"{name}_{word}.py").write_text(source)


def test_a_plugin_whose_history_forks_is_left_out_and_the_others_are_migrated_and_serve(folder, database):
    add_plugin(folder, "apart")
    fork_the_history_of(folder, "notes")
    upgraded = folder.flask("db", "upgrade", **database)
    assert upgraded.returncode == 1
    assert "upgraded: core, apart" in upgraded.stdout
    assert "notes: its migrations cannot be read: MigrationRefused" in upgraded.stderr
    assert "Traceback" not in upgraded.stderr
    states = folder.states(**database)
    assert {name: states[name]["state"] for name in folder.names} == {
        "apart": "running",
        "more_notes": "blocked",
        "notes": "invalid",
    }
    assert "the history of notes must be one line; it forks after notes_0001" in states["notes"]["cause"]
    for command in (["db", "status"], ["db", "plan"], ["db", "check"], ["plugins", "why", "more_notes"]):
        assert "Traceback" not in folder.flask(*command, **database).stderr, command


def test_one_set_is_upgraded_with_what_it_requires(folder, database):
    add_plugin(folder, "apart")
    done = folder.flask("db", "upgrade", "--plugin", "more_notes", **database)
    assert (done.returncode, done.stdout) == (0, "upgraded: core, notes, more_notes\n"), done.stderr


def test_a_revision_is_not_made_up_from_models_that_are_not_loaded(folder, database):
    assert folder.flask("db", "upgrade", **database).returncode == 0
    refused = folder.flask("db", "revision", "--plugin", "notes", "-m", "more", enabled=[], **database)
    assert refused.returncode == 1
    assert "notes is not loaded, so its models are not known" in refused.stderr
    assert len(list((folder.path / "acme_notes" / "migrations" / "versions").glob("*.py"))) == 1


@pytest.fixture
def engine(database):
    app = _make_app(database["DATABASE_URL"], database["REDIS_URL"], (), {})
    with app.app_context():
        upgrade(db.engine, [core_set()])
        yield db.engine
        db.engine.dispose()


def write_revisions(path, *bodies):
    for number, body in enumerate(bodies, 1):
        down = f'"acme_{number - 1:04d}"' if number > 1 else "None"
        (path / f"acme_{number:04d}.py").write_text(
            f'"""step {number}"""\nfrom alembic import op\nrevision = "acme_{number:04d}"\ndown_revision = {down}\n\n'
            f"def upgrade():\n    {body}\n\ndef downgrade():\n    pass\n"
        )
    return MigrationSet("acme", "acme", path)


def test_a_busy_table_is_waited_for_in_short_tries_so_that_writers_go_on(engine, tmp_path):
    one = write_revisions(tmp_path, "op.execute('create table acme.things (id int)')")
    upgrade(engine, [one])
    one = write_revisions(
        tmp_path,
        "op.execute('create table acme.things (id int)')",
        "op.execute('set local lock_timeout = 100'); op.execute('alter table acme.things add size int')",
    )
    holder = engine.connect()
    holder.execute(text("select * from acme.things"))
    done = []
    thread = threading.Thread(target=lambda: done.append(upgrade(engine, [one], pause_seconds=(0.05, 0.1))))
    thread.start()
    thread.join(timeout=0.5)
    assert thread.is_alive()
    holder.rollback()
    holder.close()
    thread.join(timeout=20)
    assert done == [["acme"]]


def test_a_table_that_stays_busy_ends_the_upgrade_with_what_was_done_kept(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(sets_module, "LOCK_ATTEMPTS", 2)
    one = write_revisions(
        tmp_path,
        "op.execute('create table acme.things (id int)')",
        "op.execute('set local lock_timeout = 50'); op.execute('lock table core.audit_events')",
    )
    with engine.connect() as holder:
        holder.execute(text("lock table core.audit_events in access share mode"))
        with pytest.raises(OperationalError):
            upgrade(engine, [one], pause_seconds=(0.01, 0.02))
    with engine.connect() as connection:
        assert [found.revision for found in planned(connection, one)] == ["acme_0002"]


INDEX = "op.create_index_concurrently('things_size_idx', 'things', ['size'], schema='acme', unique=True)"


def test_an_index_whose_build_was_killed_is_dropped_and_built_again(engine, tmp_path):
    one = write_revisions(tmp_path, "op.execute('create table acme.things (size int)')", INDEX)
    upgrade(engine, [one], target="acme_0001")
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("insert into acme.things values (1), (1)"))
    with pytest.raises(Exception, match="things_size_idx"):
        upgrade(engine, [one])
    valid = text("select indisvalid from pg_index where indexrelid = 'acme.things_size_idx'::regclass")
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        assert connection.execute(valid).scalar_one() is False
        connection.execute(text("truncate acme.things"))
    assert upgrade(engine, [one]) == ["acme"]
    with engine.connect() as connection:
        assert connection.execute(valid).scalar_one() is True


def test_a_concurrent_index_shows_in_the_planned_sql(engine, tmp_path):
    one = write_revisions(tmp_path, "op.execute('create table acme.things (size int)')", INDEX)
    with engine.connect() as connection:
        assert "create unique index concurrently if not exists" in planned_sql(connection, one)
