"""The plugin that was written against version 1.0 of the plugin API still boots, migrates and works, unedited."""

from __future__ import annotations

import ast
import hashlib
import importlib
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

import jiki_core
from jiki_auth.testing import make_user, signed_in
from jiki_core.contracts import AccountSetup, TranslatableTexts, ask
from jiki_core.db import reading, unit_of_work
from jiki_core.plugins.hookspecs import HookSpecs
from jiki_core.plugins.lifecycle import ChangeKind, PluginChange
from jiki_core.runtime import runtime_of
from jiki_core.testing import ApiClient, PluginConformance, drain_outbox
from jiki_core.testing.databases import dispose

HERE = Path(__file__).parent
FROZEN = HERE / "plugin_api_1_0"
#: written once, by `sha256sum` over the files; see the README beside them
CHECKSUMS = HERE / "checksums_1_0.txt"
#: parts of the API that came after 1.0, and that the frozen plugin therefore does not use
LATER_HOOKS = frozenset({"jiki_health", "jiki_ready"})
LATER_NAMES = frozenset({"HealthCheck", "ask_all"})


def frozen_files():
    return sorted(path for path in FROZEN.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def test_its_files_are_as_they_were_when_1_0_was_released():
    written = dict(reversed(line.split("  ")) for line in CHECKSUMS.read_text().splitlines())
    found = {str(path.relative_to(FROZEN)): hashlib.sha256(path.read_bytes()).hexdigest() for path in frozen_files()}
    changed = sorted(name for name in written.keys() | found.keys() if written.get(name) != found.get(name))
    assert not changed, (
        f"{', '.join(changed)} of tests/compat/plugin_api_1_0 changed. It stands for every plugin that others have "
        "written against 1.0: if it must be edited to work, theirs break. Undo the edit and mend the core instead; a "
        "new major version gets a folder of its own."
    )


def test_it_uses_every_hook():
    tree = ast.parse((FROZEN / "acme_frozen" / "plugin.py").read_text())
    written = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert {name for name in vars(HookSpecs) if name.startswith("jiki_")} - LATER_HOOKS == written


def test_it_uses_every_public_name_and_of_other_modules_the_runtime_only():
    used, others = set(), set()
    for path in frozen_files():
        if path.suffix == ".py":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "jiki_core":
                    names = {alias.name for alias in node.names}
                    (used if node.module == "jiki_core" else others).update(names)
    assert used == set(jiki_core.__all__) - LATER_NAMES
    assert others == {"runtime"}


@pytest.fixture(scope="module")
def app(make_app):
    sys.path.insert(0, str(FROZEN))
    importlib.invalidate_caches()
    made = make_app(("auth", "frozen"))
    yield made
    dispose(made)
    sys.path.remove(str(FROZEN))
    importlib.invalidate_caches()


@pytest.fixture
def frozen(committed_db):
    """(app, a user, a client of theirs)."""
    user = make_user(committed_db)
    return committed_db, user, signed_in(committed_db, user)


def rows(app, statement):
    with app.app_context():
        return [tuple(row) for row in reading().execute(text(statement))]


class TestConformance(PluginConformance):
    """It boots, its tables are what its models say, and its migrations go down and up."""

    @pytest.fixture(autouse=True)
    def _plugin(self, app):
        type(self).plugin = app.extensions["jiki.host"].loaded["frozen"].plugin


def test_a_note_goes_through_every_door(frozen, mails):
    app, user, client = frozen
    note = client.post("internal/frozen", {"text": "Loops repeat."}).expect(201).body["note"]
    assert note["claps"] == note["id"] % 10
    assert client.get("internal/frozen").expect(200).body["results"] == [note]
    drain_outbox(app)
    assert [mail.subject for mail in mails() if mail.to == user.email][:1] == ["Thanks"]
    kinds = {kind for (kind,) in rows(app, "select type from core.notifications")}
    assert kinds >= {"frozen.thanked", "frozen.note_seen"}
    assert rows(app, "select text from frozen.thanks") == [("Thank you!!",)], "without payments everybody has paid"
    audited = [action for (action,) in rows(app, "select action from core.audit_events where plugin = 'frozen'")]
    assert {"frozen_note:written", "frozen_note:reported"} <= set(audited)
    drain_outbox(app, including_later=True)
    assert rows(app, "select count(*) from frozen.thanks") == [(2,)]
    client.delete(f"internal/frozen/{note['id']}").expect(204)
    assert client.get("internal/frozen").expect(200).body["results"] == []


@pytest.mark.parametrize(
    ("given", "symbol"), [("x" * 201, "frozen_note_too_long"), (" ", "validation_error"), ("", "validation_error")]
)
def test_what_it_refuses_is_said_in_the_one_envelope(frozen, given, symbol):
    frozen[2].post("internal/frozen", {"text": given}).expect(422, symbol)


def test_its_guards_decide(frozen):
    app, user, _ = frozen
    stranger = ApiClient(app)
    stranger.post("internal/frozen", {"text": "x"}).expect(401, "unauthenticated")
    service = ApiClient(app, {"X-Frozen": f"frozen-key:{user.id}"})
    service.post("internal/frozen", {"text": "x"}).expect(201)
    stranger.get("external/frozen").expect(200)
    stranger.post("webhooks/frozen").expect(401, "frozen_not_ours")
    ApiClient(app, {"X-Signature": "frozen-key"}).post("webhooks/frozen").expect(204)


def test_its_answers_are_asked_for(frozen):
    app, user, client = frozen
    client.post("internal/frozen", {"text": "x"}).expect(201)
    with app.app_context():
        assert {"frozen": {"thanks": "Thank you, {handle}!"}} in ask(TranslatableTexts).texts()
        with unit_of_work() as uow:
            assert ask(AccountSetup).prepare(uow, user.id) == [True]
    assert rows(app, f"select count(*) from frozen.visits where user_id = {user.id}") == [(2,)], "and at sign-up"


def test_its_schedule_channel_file_kind_roles_and_seed_are_known(frozen):
    app, _, _ = frozen
    at = runtime_of(app)
    assert str(at.jobs["frozen.count_visits"].job.timetable.cron) == "0 3 * * *"
    assert at.jobs["frozen.say_thanks"] is at.jobs["frozen.thank"]
    plugin, channel = at.channels["FrozenChannel"]
    assert (plugin, sorted(channel.actions)) == ("frozen", ["ping", "wave"])
    assert at.notification_kinds["frozen.thanked"].group == "thanks"
    assert at.file_kinds["frozen.sketch"].max_bytes == 100_000
    assert "frozen_writer" in at.roles
    seeds = {seed.key for owner, seed in app.extensions["jiki.assembly"].seeds if owner == "frozen"}
    assert seeds == {"frozen.first_visit"}


def test_its_commands_run_and_it_hears_of_changes(frozen):
    app, user, _ = frozen
    runner = app.test_cli_runner()
    assert runner.invoke(args=["frozen", "report"]).output == f"0 notes, 1 visits, core {jiki_core.__version__}\n"
    with app.app_context():
        change = PluginChange(ChangeKind.UPGRADED, "frozen", "1.0.0", "1.0.1")
        assert app.extensions["jiki.host"].tell_change(change) == []
    assert app.extensions["acme_frozen"]["changes"][-1] == ("upgraded", "frozen", "1.0.0", "1.0.1")
    closed = runner.invoke(args=["frozen", "close", str(user.id)])
    assert closed.output == "closed\n", closed.output


def test_it_can_make_an_app_of_its_own(app, monkeypatch):
    settings = runtime_of(app).settings
    monkeypatch.setenv("JIKI_ENV", "test")
    monkeypatch.setenv("DATABASE_URL", settings.database_url.reveal())
    monkeypatch.setenv("REDIS_URL", settings.redis_url.reveal())
    monkeypatch.setenv("JIKI_PLUGINS_ENABLED", "auth,frozen")
    monkeypatch.setenv("JIKI_LOG_LEVEL", "ERROR")
    made = importlib.import_module("acme_frozen.serve").application()
    try:
        assert made.extensions["jiki.host"].status("frozen").state == "running"
    finally:
        dispose(made)
