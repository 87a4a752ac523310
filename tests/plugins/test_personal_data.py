"""Export and erasure over the core and all plugins: everything declared is told, nothing of the person stays behind."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, text

from jiki_auth.models import User
from jiki_auth.testing import make_user, signed_in
from jiki_core.db import db, unit_of_work
from jiki_core.db.records import PluginRecord
from jiki_core.plugins.apply import apply_changes
from jiki_core.plugins.erasing import erase_person, export_person, prepare_erasure
from jiki_core.runtime import runtime_of
from jiki_core.storage import attach, store
from jiki_core.testing import count_queries, drain_outbox
from jiki_core.testing.databases import _tables
from jiki_core.testing.pytest_plugin import _make_app

#: of this process alone: workers of one run keep files in one folder
CANARY = f"canary7q{os.getpid()}"


@pytest.fixture
def person(committed_db):
    user = replace(make_user(committed_db, handle=f"ada-{CANARY}"), email=f"{CANARY}@example.test")
    with committed_db.app_context(), unit_of_work() as uow:
        uow.session.execute(text("update auth.users set email = :email"), {"email": user.email})
        lesson = uow.session.execute(
            text(
                "with c as (insert into learning.courses (slug, position) values ('c', 1) returning id), "
                "l as (insert into learning.levels (course_id, uuid, slug, position) "
                "select id, gen_random_uuid(), 'l', 1 from c returning id) select id from l"
            )
        ).scalar_one()
        uow.session.execute(
            text("insert into learning.user_levels (user_id, level_id, started_at) values (:user, :level, now())"),
            {"user": user.id, "level": lesson},
        )
        uow.session.execute(
            text(
                "insert into payments.payments (user_id, stripe_invoice_id, amount, currency, product, amount_refunded, "
                "receipt_url, paid_at, observed_at) values (:user, 'in_1', 5, 'usd', 'premium', 0, :url, now(), now())"
            ),
            {"user": user.id, "url": f"https://stripe.test/{CANARY}"},
        )
        uow.session.execute(
            text("insert into i18n.locales (tag, state) values ('hu', 'draft') on conflict do nothing"),
        )
        uow.session.execute(
            text("insert into i18n.translator_grants (user_id, locale, may_review) values (:user, 'hu', false)"),
            {"user": user.id},
        )
        uow.notify(user.id, "learning.praise", {"to": CANARY})
        uow.audit("user:renamed", target_type="user", target_id=user.id, before={"email": f"{CANARY}@example.test"})
    with committed_db.app_context():
        staged = store(
            "learning.submission", f"print('{CANARY}')\n".encode(), filename=f"{CANARY}.txt", user_id=user.id
        )
        with unit_of_work() as uow:
            attach(uow, staged, User, user.id, name="draft")
    drain_outbox(committed_db)
    signed_in(committed_db, user).get("internal/me").expect(200)  # what is asked for often is kept in Valkey
    yield user
    for path in files_with(committed_db, CANARY):
        path.unlink()
    with committed_db.app_context(), db.engine.begin() as connection:
        connection.execute(delete(PluginRecord))


def places_of(app, needle):
    with app.app_context(), db.engine.connect() as connection:
        return {
            name
            for name in _tables(connection)
            if connection.execute(
                text(f"select 1 from {name} t where t::text like :needle limit 1"), {"needle": f"%{needle}%"}
            ).first()
        }


def valkey_entries_with(app, needle):
    """Keys whose name or value holds it; values as they are, of every type."""
    redis = runtime_of(app).redis
    readers = {
        b"string": redis.get,
        b"hash": redis.hgetall,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"set": redis.smembers,
        b"zset": lambda key: redis.zrange(key, 0, -1),
        b"stream": redis.xrange,
    }
    return [key for key in redis.scan_iter() if needle in repr((key, readers[redis.type(key)](key)))]


def files_with(app, needle):
    """Stored files that hold it."""
    folder = Path(runtime_of(app).settings.storage_dir)
    return [path for path in folder.rglob("*") if path.is_file() and needle.encode() in path.read_bytes()]


def erase(app, user_id):
    with app.app_context():
        prepare_erasure(user_id)
        with unit_of_work() as uow:
            return erase_person(
                uow, app.extensions["jiki.host"], user_id, addresses=[f"{CANARY}@example.test"], reason="asked"
            )


def test_an_export_has_a_section_per_plugin_and_no_secret(committed_db, person):
    with committed_db.app_context():
        told = export_person(committed_db.extensions["jiki.host"], person.id)
    assert told["plugins"]["auth"]["users"][0]["email"] == f"{CANARY}@example.test"
    assert "password_hash" not in told["plugins"]["auth"]["users"][0]
    assert told["plugins"]["learning"]["user_levels"][0]["completed_at"] is None
    assert told["plugins"]["payments"]["payments"][0]["amount"] == 5
    assert told["plugins"]["i18n"]["translator_grants"][0]["locale"] == "hu"
    assert told["plugins"]["core"]["notifications"][0]["data"] == {"to": CANARY}
    json.dumps(told)


def test_an_export_takes_as_many_queries_for_much_data_as_for_little(committed_db, person):
    host = committed_db.extensions["jiki.host"]
    with committed_db.app_context():
        with count_queries(committed_db) as few:
            export_person(host, person.id)
        with unit_of_work() as uow:
            for number in range(20):
                uow.notify(person.id, "learning.praise", {"number": number})
        with count_queries(committed_db) as many:
            assert len(export_person(host, person.id)["plugins"]["core"]["notifications"]) >= 21
    assert len(few.statements) == len(many.statements)


def test_after_an_erasure_no_store_knows_the_person_and_the_books_stay(committed_db, person):
    assert places_of(committed_db, CANARY)
    assert valkey_entries_with(committed_db, CANARY)
    assert files_with(committed_db, CANARY)
    erase(committed_db, person.id)
    drain_outbox(committed_db)
    assert places_of(committed_db, CANARY) <= {"core.outbox"}, "what is still on its way names nobody for long"
    with committed_db.app_context(), db.engine.connect() as connection:
        assert connection.execute(text("select user_id, amount from payments.payments")).all() == [(None, 5)]
        assert connection.execute(text("select count(*) from auth.users")).scalar_one() == 0
        assert connection.execute(text("select count(*) from learning.user_levels")).scalar_one() == 0
    assert valkey_entries_with(committed_db, CANARY) == []
    assert files_with(committed_db, CANARY) == []


def test_erasing_twice_gives_the_same_result(committed_db, person):
    erase(committed_db, person.id)
    drain_outbox(committed_db)
    erase(committed_db, person.id)
    assert erase(committed_db, person.id) == 0


def test_tables_of_plugins_that_are_off_are_exported_and_erased_from_their_records(committed_db, person):
    with committed_db.app_context():
        apply_changes(committed_db.extensions["jiki.host"])
    settings = runtime_of(committed_db).settings
    bare = _make_app(settings.database_url.reveal(), settings.redis_url.reveal(), (), {})
    try:
        with bare.app_context():
            told = export_person(bare.extensions["jiki.host"], person.id)
        assert told["plugins"]["learning"]["user_levels"]
        assert told["plugins"]["auth"]["users"][0]["email"] == f"{CANARY}@example.test"
        erase(bare, person.id)
        assert "auth.users" not in places_of(committed_db, CANARY)
        assert places_of(committed_db, CANARY) <= {"core.outbox"}
    finally:
        with bare.app_context():
            db.engine.dispose()
        runtime_of(bare).redis.close()


def test_the_commands_export_and_erase_by_handle(committed_db, person, tmp_path):
    runner = committed_db.test_cli_runner()
    from jiki_core.cli.users import cli

    done = runner.invoke(cli, ["export", person.email, "--to", str(tmp_path / "person.json")])
    assert done.exit_code == 0, done.output
    assert CANARY in (tmp_path / "person.json").read_text()
    done = runner.invoke(cli, ["erase", person.email, "--reason", "asked by mail"], input="y\n")
    assert done.exit_code == 0, done.output
    assert "kept: payments.refunds: " in done.output
    gone = runner.invoke(cli, ["export", person.email])
    assert gone.exit_code == 1
    assert "give the id instead" in gone.output
