"""Migrations: one line per set, up, down and up again on a filled database, models equal to tables, keys indexed."""

from __future__ import annotations

import itertools
import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from jiki_core.cable import cable_of
from jiki_core.db import db as database
from jiki_core.db.batch_operations import EndlessUpdate
from jiki_core.db.migration_sets import (
    MigrationRefused,
    MigrationSet,
    core_set,
    differences,
    downgrade,
    planned_sql,
    set_status,
    upgrade,
)
from jiki_core.schema_gate import plugin_sets
from jiki_core.testing.pytest_plugin import DEFAULT_PLUGINS, _make_app


@pytest.fixture
def fresh(services, tmp_path):
    """An app with all four plugins on an empty database of its own."""
    name = f"jiki_migrations_{tmp_path.name.replace('-', '_')[:40].lower()}"
    url = services.create_database(name)
    app = _make_app(url, services.redis_url_of(60), DEFAULT_PLUGINS, {})
    with app.app_context():
        yield app
        database.engine.dispose()


def sets_of(app):
    return [core_set(), *plugin_sets(app.extensions["jiki.host"])]


def statuses(app):
    with database.engine.connect() as connection:
        return {one.name: set_status(connection, one) for one in sets_of(app)}


def schemas():
    with database.engine.connect() as connection:
        return set(
            connection.execute(
                text("select schemaname || '.' || tablename from pg_tables where schemaname !~ '^(pg_|information)'")
            ).scalars()
        )


def test_up_down_and_up_again_on_a_filled_database(fresh):
    from jiki_auth.testing import make_user

    sets = sets_of(fresh)
    assert upgrade(database.engine, sets) == [one.name for one in sets]
    tables = schemas()
    make_user(fresh)
    for one in reversed(sets):
        downgrade(database.engine, one, "base")
    assert {name.partition(".")[2] for name in schemas()} == {"alembic_version"}
    assert upgrade(database.engine, sets) == [one.name for one in sets]
    assert schemas() == tables
    make_user(fresh)


def test_each_revision_goes_down_and_up_by_itself(fresh):
    upgrade(database.engine, sets_of(fresh))
    for one in sets_of(fresh):
        line = one.revisions()
        for before, _after in itertools.pairwise(line):
            downgrade(database.engine, one, before)
            upgrade(database.engine, [one])
        assert statuses(fresh)[one.name].is_current


def test_upgrading_twice_changes_nothing(fresh):
    upgrade(database.engine, sets_of(fresh))
    assert upgrade(database.engine, sets_of(fresh)) == []


def test_models_and_tables_agree(fresh):
    upgrade(database.engine, sets_of(fresh))
    assert {one.name: differences(database.engine, one) for one in sets_of(fresh)} == {
        one.name: [] for one in sets_of(fresh)
    }


def test_public_stays_empty_and_every_set_has_its_own_version_table(fresh):
    upgrade(database.engine, sets_of(fresh))
    tables = schemas()
    assert not [name for name in tables if name.startswith("public.")]
    assert {f"{one.name}.alembic_version" for one in sets_of(fresh)} <= tables


def test_every_foreign_key_is_indexed_and_says_what_a_deletion_does(fresh):
    upgrade(database.engine, sets_of(fresh))
    with database.engine.connect() as connection:
        rows = connection.execute(
            text(
                "select c.conrelid::regclass::text || '.' || c.conname, c.confdeltype, exists ("
                "  select 1 from pg_index i where i.indrelid = c.conrelid and i.indpred is null"
                "  and (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey) "
                "from pg_constraint c where c.contype = 'f'"
            )
        ).all()
    assert rows
    assert [name for name, rule, _ in rows if rule not in ("c", "n")] == []
    assert [name for name, _, is_indexed in rows if not is_indexed] == []


def test_a_set_that_others_refer_to_is_not_taken_down(fresh):
    upgrade(database.engine, sets_of(fresh))
    auth = next(one for one in sets_of(fresh) if one.name == "auth")
    with pytest.raises(MigrationRefused, match="refer to auth"):
        downgrade(database.engine, auth, "base")


def test_a_plugin_whose_tables_are_behind_does_not_answer_and_the_rest_serves(fresh):
    sets = sets_of(fresh)
    upgrade(database.engine, [one for one in sets if one.name in ("core", "i18n")])
    client = fresh.test_client()
    assert client.get("/health-check").status_code == 200
    answer = client.get("/api/v1/internal/me")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    states = {one.name: one for one in fresh.extensions["jiki.host"].statuses()}
    assert states["auth"].state == "schema-behind"
    assert states["auth"].remedy == "run `flask db upgrade`, then restart"
    assert states["learning"].state == "blocked" or states["learning"].state == "schema-behind"
    assert states["i18n"].state == "running"
    assert [cable_of(fresh).services.is_paused(name) for name in ("auth", "i18n")] == [True, False], "channels, too"


def test_a_process_without_a_database_starts_and_answers_503(services):
    app = _make_app("postgresql://nobody@127.0.0.1:1/none", services.redis_url_of(60), ("i18n",), {})
    answer = app.test_client().get("/health-check")
    assert answer.status_code == 503
    assert answer.get_json()["error"]["type"] == "unavailable"
    assert app.test_client().get("/health/live").status_code == 200


def test_any_order_in_which_dependencies_come_first_gives_the_same_tables(services):
    """Independent plugins may come in any order: shuffled within what their requirements allow."""
    found = []
    for number, order in enumerate(
        (["i18n", "auth", "payments", "learning"], ["auth", "learning", "i18n", "payments"])
    ):
        url = services.create_database(f"jiki_migrations_shuffled_{number}")
        app = _make_app(url, services.redis_url_of(60), DEFAULT_PLUGINS, {})
        with app.app_context():
            sets = {one.name: one for one in sets_of(app)}
            assert upgrade(database.engine, [sets["core"], *(sets[name] for name in order)]) == ["core", *order]
            found.append(columns_and_constraints())
            database.engine.dispose()
    assert found[0] == found[1]
    assert len(found[0]) > 500


def columns_and_constraints():
    with database.engine.connect() as connection:
        columns = connection.execute(
            text(
                "select table_schema, table_name, column_name, data_type, is_nullable, coalesce(column_default, '') "
                "from information_schema.columns where table_schema !~ '^(pg_|information)'"
            )
        )
        constraints = connection.execute(
            text(
                "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint where conrelid > 0"
            )
        )
        indexes = connection.execute(
            text("select schemaname, indexname, indexdef from pg_indexes where schemaname !~ '^(pg_|information)'")
        )
        return sorted(tuple(row) for result in (columns, constraints, indexes) for row in result)


def test_upgrades_at_the_same_time_take_turns_and_only_one_does_the_work(fresh):
    sets = sets_of(fresh)
    done, faults = [], []

    def run():
        with fresh.app_context():
            try:
                done.append(upgrade(database.engine, sets))
            except Exception as error:
                faults.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert faults == []
    assert sorted(done, key=len) == [[], [], [one.name for one in sets]]


def test_tables_that_no_migration_made_are_not_adopted(fresh):
    with database.engine.begin() as connection:
        connection.execute(text("create schema i18n"))
        connection.execute(text("create table i18n.locales (tag text primary key)"))
    with pytest.raises(MigrationRefused, match=r"the schema i18n holds tables that no migration made \(locales\)"):
        upgrade(database.engine, sets_of(fresh))
    with database.engine.begin() as connection:
        assert connection.execute(text("select count(*) from i18n.locales")).scalar_one() == 0
        connection.execute(text("alter schema i18n rename to somebody_elses"))
    assert "i18n" in upgrade(database.engine, sets_of(fresh)), "out of the way it hinders nobody"


def test_code_from_before_serves_on_newer_tables(fresh):
    """A roll-back, or the processes that still run the last release while the next one migrates."""
    upgrade(database.engine, sets_of(fresh))
    with database.engine.begin() as connection:
        connection.execute(text("alter table auth.users add column shoe_size int"))
        connection.execute(text("update auth.alembic_version set version_num = 'auth_9999'"))
    client = fresh.test_client()
    assert client.get("/health-check").status_code == 200
    assert client.get("/api/v1/internal/me").status_code == 401
    states = {
        one.name: str(one.state) for one in fresh.extensions["jiki.host"].statuses() if one.name in DEFAULT_PLUGINS
    }
    assert set(states.values()) == {"running"}
    from jiki_auth.testing import make_user

    assert make_user(fresh).id


@pytest.mark.parametrize("target", ["nowhere", "auth_0001", "--1"])
def test_a_revision_that_a_set_has_not_is_refused_with_those_it_has(fresh, target):
    upgrade(database.engine, sets_of(fresh))
    i18n = next(one for one in sets_of(fresh) if one.name == "i18n")
    with pytest.raises(MigrationRefused, match=f"i18n has no revision {target}; it has base, i18n_0001"):
        downgrade(database.engine, i18n, target)


def write_set(folder, *bodies):
    for number, body in enumerate(bodies, 1):
        down = f'"acme_{number - 1:04d}"' if number > 1 else "None"
        (folder / f"acme_{number:04d}.py").write_text(
            f'"""step {number}"""\nfrom alembic import op\nrevision = "acme_{number:04d}"\ndown_revision = {down}\n\n'
            f"def upgrade():\n    {body}\n\ndef downgrade():\n    pass\n"
        )
    return MigrationSet("acme", "acme", folder)


ROWS = 100_000
FILL = (
    "op.execute('create table acme.notes (id int primary key, size int)'); "
    f"op.execute('insert into acme.notes (id) select generate_series(1, {ROWS})')"
)


def test_a_hundred_thousand_rows_are_changed_in_batches_and_a_run_that_broke_off_goes_on_where_it_stopped(
    fresh, tmp_path
):
    assignment = f"size = 1000000 / ({ROWS // 2} - id)"  # breaks in the middle: a division by zero
    one = write_set(tmp_path, FILL, f"op.update_in_batches('notes', {assignment!r}, 'size is null', schema='acme')")
    with pytest.raises(DBAPIError, match="division by zero"):
        upgrade(database.engine, [one])
    with database.engine.connect() as connection:
        done = connection.execute(
            text("select count(*), max(xmin::text::bigint) from acme.notes where size is not null")
        )
        count, newest = done.one()
        assert 0 < count < ROWS
        assert set_status(connection, one).current == "acme_0001"
    one = write_set(tmp_path, FILL, "op.update_in_batches('notes', 'size = 7', 'size is null', schema='acme')")
    assert upgrade(database.engine, [one]) == ["acme"]
    with database.engine.connect() as connection:
        kept, added, batches = connection.execute(
            text(
                "select count(*) filter (where size <> 7), count(*) filter (where size = 7), "
                "count(distinct xmin::text) filter (where size = 7) from acme.notes"
            )
        ).one()
        untouched = connection.execute(
            text("select count(*) from acme.notes where xmin::text::bigint <= :newest and size is not null"),
            {"newest": newest},
        ).scalar_one()
    assert kept + added == ROWS
    assert untouched == count, "what was done is not done again"
    assert batches >= (ROWS - count) // 5_000


def test_an_update_that_leaves_its_condition_true_ends(fresh, tmp_path):
    one = write_set(
        tmp_path,
        "op.execute('create table acme.notes as select generate_series(1, 40) as id, 0 as size')",
        "op.update_in_batches('notes', 'size = size + 1', 'id > 0', schema='acme', batch_rows=10)",
    )
    with pytest.raises(EndlessUpdate, match="leaves 'id > 0' true"):
        upgrade(database.engine, [one])


def test_the_planned_sql_of_a_batched_update_is_one_statement(fresh, tmp_path):
    one = write_set(tmp_path, FILL, "op.update_in_batches('notes', 'size = 7', 'size is null', schema='acme')")
    with database.engine.connect() as connection:
        assert 'update "acme"."notes" set size = 7 where size is null' in planned_sql(connection, one)


def test_a_history_that_forks_is_refused(tmp_path):
    for number, (revision, down) in enumerate([("a", None), ("b", "a"), ("c", "a")]):
        (tmp_path / f"{number}.py").write_text(f"revision = {revision!r}\ndown_revision = {down!r}\n")
    with pytest.raises(MigrationRefused, match="must be one line; it forks after a"):
        MigrationSet("acme", "acme", tmp_path).revisions()
