"""Migrations: one line per set, up, down and up again on a filled database, models equal to tables, keys indexed."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import text

from jiki_core.db import db as database
from jiki_core.db.migration_sets import (
    MigrationRefused,
    MigrationSet,
    core_set,
    differences,
    downgrade,
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


def test_a_process_without_a_database_starts_and_answers_503(services):
    app = _make_app("postgresql://nobody@127.0.0.1:1/none", services.redis_url_of(60), ("i18n",), {})
    answer = app.test_client().get("/health-check")
    assert answer.status_code == 503
    assert answer.get_json()["error"]["type"] == "unavailable"
    assert app.test_client().get("/health/live").status_code == 200


def test_a_history_that_forks_is_refused(tmp_path):
    for number, (revision, down) in enumerate([("a", None), ("b", "a"), ("c", "a")]):
        (tmp_path / f"{number}.py").write_text(f"revision = {revision!r}\ndown_revision = {down!r}\n")
    with pytest.raises(MigrationRefused, match="must be one line; it forks after a"):
        MigrationSet("acme", "acme", tmp_path).revisions()
