"""Translators and developers at the same time, on connections of their own."""

from __future__ import annotations

import threading

from jiki_core.db import unit_of_work
from jiki_core.testing import ApiClient
from jiki_i18n.commands.import_entries import import_translations
from jiki_i18n.errors import VersionConflict
from jiki_i18n.exchange import ConflictPolicy, Entries, Entry
from jiki_i18n.testing import make_messages, translate


def at_once(*acts):
    """Runs the acts in threads that start together; returns what each returned or raised."""
    outcomes = [None] * len(acts)
    start = threading.Barrier(len(acts))

    def run(index, act):
        start.wait(timeout=10)
        try:
            outcomes[index] = act()
        except Exception as error:  # looked at by the test
            outcomes[index] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes


def put(app, user_id, message_id, text, version=0, locale="hu"):
    client = ApiClient(app, {"X-Doorman": f"{user_id} admin"})
    path = f"admin/i18n/messages/{message_id}/translations/{locale}"
    return client.put(path, {"translation": {"text": text, "version": version}}).status


def test_of_many_first_translations_at_once_one_is_stored(committed_db):
    message_id = make_messages(committed_db, {"title": "Title"}).ids["title"]
    acts = [lambda user=user: put(committed_db, user, message_id, f"Cím {user}") for user in range(1, 5)]
    assert sorted(at_once(*acts)) == [200, 409, 409, 409]


def test_translators_of_one_namespace_and_a_changing_source_do_not_wait_in_a_circle(committed_db):
    ids = make_messages(committed_db, {f"key{number}": f"Text {number}" for number in range(20)}).ids

    def edit_all(locale, keys):
        return {put(committed_db, 1, ids[key], "Szöveg", locale=locale) for key in keys}

    def change_sources():
        for turn in range(5):
            make_messages(committed_db, dict.fromkeys(ids, f"Text {turn}"))
        return {200}

    outcomes = at_once(
        lambda: edit_all("hu", sorted(ids)),
        lambda: edit_all("hu", sorted(ids, reverse=True)),
        lambda: edit_all("de", sorted(ids)),
        change_sources,
    )
    assert all(isinstance(outcome, set) and outcome <= {200, 409} for outcome in outcomes), outcomes


def test_a_translation_of_an_older_source_is_never_called_current(committed_db):
    ids = make_messages(committed_db, {f"key{number}": "Old {name}" for number in range(30)}).ids
    texts = dict.fromkeys(ids, "Régi {name}")

    def import_texts():
        for _ in range(3):
            translate(committed_db, "hu", texts)

    def change_sources():
        make_messages(committed_db, dict.fromkeys(ids, "New {name}, {day}"))

    outcomes = at_once(import_texts, change_sources)
    # an import that comes after the change finds its texts invalid, which the factory asserts against
    assert outcomes[1] is None
    admin = ApiClient(committed_db, {"X-Doorman": "1 admin"})
    reviewed = admin.get("admin/i18n/messages?locale=hu&state=reviewed&per=100").body["results"]
    assert reviewed == []


def test_two_imports_at_once_lose_nothing_silently(committed_db):
    ids = make_messages(committed_db, {f"key{number}": "Text" for number in range(50)}).ids
    outcomes = at_once(
        lambda: translate(committed_db, "hu", dict.fromkeys(ids, "Egyik")),
        lambda: translate(committed_db, "hu", dict.fromkeys(sorted(ids, reverse=True), "Másik")),
    )
    assert all(outcome is None or isinstance(outcome, VersionConflict) for outcome in outcomes), outcomes
    admin = ApiClient(committed_db, {"X-Doorman": "1 admin"})
    rows = admin.get("admin/i18n/messages?locale=hu&per=100").body["results"]
    assert len({row["translation"]["text"] for row in rows}) == 1


def test_an_import_does_not_hold_up_a_translator_of_another_locale(committed_db):
    message_id = make_messages(committed_db, {"title": "Title"}).ids["title"]
    entries = Entries("hu", "shop", (Entry("title", "Cím"),))
    with committed_db.app_context(), unit_of_work() as uow:
        import_translations(uow, entries, ConflictPolicy.THEIRS)
        (status,) = at_once(lambda: put(committed_db, 1, message_id, "Titel", locale="de"))
    assert status == 200
