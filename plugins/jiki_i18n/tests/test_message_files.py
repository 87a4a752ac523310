"""Messages that a package brings."""

from __future__ import annotations

import sys

import pytest

from jiki_core.db import unit_of_work
from jiki_core.errors import ValidationFailed
from jiki_core.testing import ApiClient
from jiki_i18n.commands.sync_keys import sync_package
from jiki_i18n.exchange import ExchangeError, TranslationState
from jiki_i18n.message_files import package_messages


@pytest.fixture
def package(tmp_path):
    """`package(files)`: an importable package with these files below data/messages; returns its name."""
    sys.path.insert(0, str(tmp_path))
    name = f"acme_{abs(hash(tmp_path))}"

    def make(files):
        for path, content in {"../../__init__.py": "", **files}.items():
            target = tmp_path / name / "data" / "messages" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.resolve().write_text(content, encoding="utf-8")
        return name

    yield make
    sys.path.remove(str(tmp_path))
    sys.modules.pop(name, None)


def sync(app, owner, name):
    with app.app_context(), unit_of_work() as uow:
        return [sync_package(uow, owner, files) for files in package_messages(name)]


def states(app, locale="hu"):
    admin = ApiClient(app, {"X-Doorman": "1 admin"})
    rows = admin.get(f"admin/i18n/messages?locale={locale}").body["results"]
    return {row["key"]: (row["translation"]["text"], row["translation"]["state"]) for row in rows if row["translation"]}


def test_a_package_brings_namespaces_in_any_format(package):
    name = package(
        {
            "acme/en.csv": "key,text,description,max_length\ntitle,Title,Heading,20\n",
            "acme/hu.json": '{"title": "Cím"}',
        }
    )
    (files,) = package_messages(name)
    assert (files.namespace, files.source.entries[0].max_length) == ("acme", 20)
    assert [each.locale for each in files.translations] == ["hu"]


def test_a_package_without_messages_brings_none(package):
    assert package_messages(package({})) == []


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"acme/hu.json": "{}"}, "acme has no en file"),
        ({"acme/en.json": "{"}, "acme/en.json: not JSON"),
        ({"acme/en.json": "{}", "acme/hu.docx": ""}, "acme/hu.docx: the ending is none of"),
    ],
)
def test_a_fault_names_its_file(package, files, fault):
    with pytest.raises(ExchangeError, match=fault):
        package_messages(package(files))


def test_shipped_translations_are_reviewed_and_follow_their_file_until_somebody_edits_them(package, db):
    name = package({"acme/en.json": '{"a": "A", "b": "B"}', "acme/hu.json": '{"a": "Á", "b": "Bé"}'})
    sync(db, "acme", name)
    assert states(db) == {"a": ("Á", TranslationState.REVIEWED), "b": ("Bé", TranslationState.REVIEWED)}
    admin = ApiClient(db, {"X-Doorman": "1 admin"})
    row = admin.get("admin/i18n/messages?query=a&locale=hu").body["results"][0]
    path = f"admin/i18n/messages/{row['id']}/translations/hu"
    admin.put(path, {"translation": {"text": "Enyém", "version": 1}}).expect(200)
    package({"acme/hu.json": '{"a": "Új", "b": "Új"}'})
    sync(db, "acme", name)
    assert states(db) == {"a": ("Enyém", TranslationState.DRAFT), "b": ("Új", TranslationState.REVIEWED)}


def test_a_source_that_changes_with_its_package_makes_translations_stale(package, db):
    name = package({"acme/en.json": '{"a": "A"}', "acme/hu.json": '{"a": "Á"}'})
    sync(db, "acme", name)
    package({"acme/en.json": '{"a": "Another"}'})
    (done,) = sync(db, "acme", name)
    assert done.sources.counts()["changed"] == 1
    assert states(db) == {"a": ("Á", TranslationState.STALE)}


def test_two_plugins_do_not_share_a_namespace(package, db):
    name = package({"acme/en.json": '{"a": "A"}'})
    sync(db, "acme", name)
    with pytest.raises(ValidationFailed):
        sync(db, "other", name)
