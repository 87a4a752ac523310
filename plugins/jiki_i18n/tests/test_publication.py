"""Publications: files, pointers, what is made anew, going back, garbage, and what a kill or a race leaves behind."""

from __future__ import annotations

import functools
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
from hashlib import sha256

import pytest
from sqlalchemy import func, select

from jiki_core.db import reading, unit_of_work
from jiki_core.db.outbox import OutboxEntry, OutboxKind
from jiki_core.runtime import runtime_of
from jiki_core.storage import Folder
from jiki_core.testing import ApiClient, count_queries, drain_outbox, wait_until
from jiki_i18n.catalogues import CatalogueError
from jiki_i18n.commands.collect import collect_garbage
from jiki_i18n.commands.publish import Scope, build, request_publication, rollback, settle_task
from jiki_i18n.commands.publish_here import publish_here
from jiki_i18n.errors import NothingToPublish, PublicationNotComplete
from jiki_i18n.exchange import TranslationState
from jiki_i18n.jobs import write_current_pointers
from jiki_i18n.locales import ALL_LOCALES
from jiki_i18n.models import CurrentPublication, Publication, PublishedCatalogue
from jiki_i18n.settings import I18nSettings
from jiki_i18n.storage import FILES, put_pointer
from jiki_i18n.testing import make_messages, translate

SETTINGS = I18nSettings(publications_kept=2)
#: enough of them for every kind of fallback
LOCALES = ("de", "en", "es-419", "es-ES", "hu", "pt-BR", "pt-PT")
ALL = Scope(LOCALES)


def publish(app, scope=ALL):
    with app.app_context():
        return publish_here(scope, SETTINGS)


def served(app, locale="hu", namespace="shop"):
    return ApiClient(app).get(f"external/i18n/{locale}/{namespace}").expect(200).body


def pointer(app, locale="hu"):
    with app.app_context():
        body = FILES.get(f"{locale}/current.json")
    return None if body is None else json.loads(body)


def current_id(app):
    with app.app_context():
        return reading().execute(select(CurrentPublication.publication_id)).scalar_one_or_none()


def state_of(app, publication_id):
    with app.app_context():
        return reading().execute(select(Publication.state).where(Publication.id == publication_id)).scalar_one()


@pytest.fixture
def shop(db):
    """One message, translated into Hungarian."""
    make_messages(db, {"title": "Title"})
    translate(db, "hu", {"title": "Cím"})
    return db


# -- what is published --------------------------------------------------------------------------------------------------


def test_a_publication_writes_hashed_files_and_a_pointer_for_each_locale(shop):
    publish(shop, Scope(ALL_LOCALES))
    files = pointer(shop)["catalogues"]
    with shop.app_context():
        body = FILES.get(f"hu/{files['shop']}")
    assert json.loads(body) == {"title": "Cím"}
    assert files["shop"] == f"shop.{sha256(body).hexdigest()[:20]}.json"
    assert {locale for locale in ALL_LOCALES if pointer(shop, locale)} == set(ALL_LOCALES)


def test_the_pointer_by_http_is_that_of_the_storage(shop):
    publish(shop)
    answer = ApiClient(shop).get("external/i18n/hu").expect(200).body
    assert {"locale": answer["locale"], "catalogues": answer["catalogues"]} == pointer(shop)


def test_a_hashed_file_may_be_kept_for_ever(shop):
    publish(shop)
    name = pointer(shop)["catalogues"]["shop"]
    answer = ApiClient(shop).get(f"external/i18n/hu/files/{name}").expect(200)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.body == {"title": "Cím"}
    ApiClient(shop).get("external/i18n/hu/files/shop.0.json").expect(404, "catalogue_not_found")


def test_a_published_catalogue_takes_one_statement_and_then_none_of_the_disk(shop):
    publish(shop)
    served(shop)
    with count_queries(shop) as queries:
        served(shop)
    assert len(queries) == 1


def test_what_is_published_stays_until_it_is_published_again(shop):
    publish(shop)
    translate(shop, "hu", {"title": "Új cím"})
    assert served(shop) == {"title": "Cím"}
    publish(shop)
    assert served(shop) == {"title": "Új cím"}


def test_unreviewed_texts_stay_out_unless_told(shop):
    translate(shop, "de", {"title": "Titel"}, state=TranslationState.MACHINE)
    translate(shop, "hu", {"title": "Vázlat"}, state=TranslationState.DRAFT)
    publish(shop)
    assert served(shop, "de") == {"title": "Title"}
    assert served(shop, "hu") == {"title": "Cím"}  # the text that was approved before the draft
    publish(shop, Scope(LOCALES, includes_unreviewed=True))
    assert served(shop, "de") == {"title": "Titel"}
    assert served(shop, "hu") == {"title": "Vázlat"}


def test_a_catalogue_whose_file_was_lost_is_made_of_the_database(shop):
    publish(shop)
    translate(shop, "hu", {"title": "Új cím"})
    publish(shop)
    with shop.app_context():
        FILES.delete(f"hu/{pointer(shop)['catalogues']['shop']}")
    assert served(shop) == {"title": "Új cím"}


# -- incremental --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "made"),
    [
        ("hu", {"hu"}),
        ("es-419", {"es-419", "es-ES"}),
        ("pt-BR", {"pt-BR", "pt-PT"}),
        ("en", set(LOCALES)),
        (None, set()),
    ],
)
def test_only_what_has_changed_is_made_anew(shop, changed, made):
    make_messages(shop, {"other": "Other"}, namespace="web")
    publish(shop)
    if changed == "en":
        make_messages(shop, {"title": "Another title"})
    elif changed is not None:
        translate(shop, changed, {"title": "Changed"})
    requested = publish(shop)
    assert {(task.locale, task.namespace) for task in requested.tasks} == {(locale, "shop") for locale in made}
    assert (requested.id is None) == (not made)


def test_everything_is_made_anew_when_forced(shop):
    publish(shop)
    assert len(publish(shop, Scope(("hu", "de"), is_forced=True)).tasks) == 2


def test_a_publication_of_one_locale_leaves_the_others_as_they_are(shop):
    publish(shop)
    translate(shop, "hu", {"title": "Új cím"})
    translate(shop, "de", {"title": "Titel"})
    publish(shop, Scope(("hu",)))
    assert served(shop, "hu") == {"title": "Új cím"}
    assert served(shop, "de") == {"title": "Title"}
    assert pointer(shop, "de")["catalogues"].keys() == {"shop"}


def test_another_layout_makes_a_namespace_anew(shop):
    make_messages(shop, {"cart.title": "Cart"})
    publish(shop)
    ApiClient(shop, {"X-Doorman": "1 admin"}).patch(
        "admin/i18n/namespaces/shop", {"namespace": {"layout": "flat"}}
    ).expect(200)
    publish(shop)
    assert served(shop, "en") == {"cart.title": "Cart", "title": "Title"}


def test_without_a_namespace_there_is_nothing_to_publish(db):
    with pytest.raises(NothingToPublish):
        publish(db)


# -- by jobs ------------------------------------------------------------------------------------------------------------


def test_managers_publish_through_the_api_and_workers_make_the_files(shop):
    admin = ApiClient(shop, {"X-Doorman": "1 admin"})
    body = {"publication": {"locales": ["hu", "en"], "reason": "new texts"}}
    begun = admin.post("admin/i18n/publications", body).expect(202).body["publication"]
    assert (begun["state"], begun["total"], begun["done"]) == ("building", 2, 0)
    drain_outbox(shop)
    done = admin.get(f"admin/i18n/publications/{begun['id']}").expect(200).body["publication"]
    assert (done["state"], done["done"], done["is_current"]) == ("published", 2, True)
    assert pointer(shop)["catalogues"].keys() == {"shop"}
    assert admin.post("admin/i18n/publications", body).expect(202).body == {"publication": None}
    assert [one["id"] for one in admin.get("admin/i18n/publications").expect(200).body["results"]] == [begun["id"]]


def test_a_publication_tells_sockets_and_plugins(shop):
    requested = publish(shop, Scope(("hu",)))
    with shop.app_context():
        rows = reading().execute(
            select(OutboxEntry.kind, OutboxEntry.payload).where(
                OutboxEntry.name.in_(["i18n/publications", "i18n.catalogues_published"])
            )
        )
        told = {row.kind: row.payload for row in rows}
    assert told[OutboxKind.BROADCAST]["message"] == {
        "type": "published",
        "publication": requested.id,
        "locales": ["hu"],
        "namespaces": ["shop"],
    }
    assert told[OutboxKind.EVENT]["publication_id"] == requested.id


def test_texts_that_cannot_be_laid_out_fail_the_publication_and_the_old_one_stays(shop):
    publish(shop)
    make_messages(shop, {"title.below": "Below a message"})
    admin = ApiClient(shop, {"X-Doorman": "1 admin"})
    begun = admin.post("admin/i18n/publications", {"publication": {"locales": ["hu"]}}).expect(202).body["publication"]
    drain_outbox(shop)
    failed = admin.get(f"admin/i18n/publications/{begun['id']}").body["publication"]
    assert failed["state"] == "failed"
    assert "title" in failed["reason"]
    assert served(shop) == {"title": "Cím"}
    with pytest.raises(CatalogueError):
        publish(shop)


def test_a_publication_that_nobody_finishes_fails_after_its_time(shop):
    with shop.app_context(), unit_of_work() as uow:
        stuck = request_publication(uow, ALL, SETTINGS)
        publication = uow.session.get_one(Publication, stuck.id)
        publication.created_at = uow.now.replace(year=2020)
    publish(shop)
    assert state_of(shop, stuck.id) == "failed"


# -- going back ---------------------------------------------------------------------------------------------------------


def test_an_earlier_publication_becomes_current_again(shop):
    first = publish(shop)
    translate(shop, "hu", {"title": "Új cím"})
    second = publish(shop)
    admin = ApiClient(shop, {"X-Doorman": "1 admin"})
    assert admin.post(f"admin/i18n/publications/{first.id}/rollback").expect(200).body["publication"]["is_current"]
    assert served(shop) == {"title": "Cím"}
    drain_outbox(shop)
    assert pointer(shop)["catalogues"]["shop"] == ApiClient(shop).get("external/i18n/hu").body["catalogues"]["shop"]
    third = publish(shop)
    assert third.id > second.id
    assert served(shop) == {"title": "Új cím"}


def test_what_never_was_complete_cannot_become_current(shop):
    publish(shop)
    translate(shop, "hu", {"title": "Új cím"})
    admin = ApiClient(shop, {"X-Doorman": "1 admin"})
    with shop.app_context(), unit_of_work() as uow:
        begun = request_publication(uow, ALL, SETTINGS)
    admin.post(f"admin/i18n/publications/{begun.id}/rollback").expect(422, "publication_not_complete")
    admin.post("admin/i18n/publications/999999/rollback").expect(404, "publication_not_found")
    admin.get("admin/i18n/publications/999999").expect(404, "publication_not_found")


# -- garbage ------------------------------------------------------------------------------------------------------------


def test_files_that_no_kept_publication_names_are_collected(committed_db):
    make_messages(committed_db, {"title": "Title 0"})
    publications = [publish(committed_db, Scope(("en",)))]
    for number in range(1, 4):
        make_messages(committed_db, {"title": f"Title {number}"})
        publications.append(publish(committed_db, Scope(("en",))))
    with committed_db.app_context():
        FILES.put("en/orphan.0123.json", b"{}")
        assert collect_garbage(SETTINGS).is_postponed is False
        names = {name for name in FILES.names() if name.startswith("en/shop")}
        assert "en/orphan.0123.json" not in set(FILES.names())
    assert len(names) == 2
    assert served(committed_db, "en") == {"title": "Title 3"}
    with committed_db.app_context():
        with unit_of_work() as uow:
            rollback(uow, publications[2].id)
        with pytest.raises(PublicationNotComplete), unit_of_work() as uow:
            rollback(uow, publications[0].id)
    assert served(committed_db, "en") == {"title": "Title 2"}


def test_garbage_waits_while_a_publication_is_built_and_the_other_way_round(committed_db):
    make_messages(committed_db, {"title": "Title"})
    with committed_db.app_context():
        with unit_of_work() as uow:
            requested = request_publication(uow, Scope(("en",)), SETTINGS)
        built = build(requested.tasks[0])
        assert collect_garbage(SETTINGS).is_postponed is True
        with unit_of_work() as uow:
            settle_task(uow, requested.tasks[0], built)
    assert served(committed_db, "en") == {"title": "Title"}


# -- two at once --------------------------------------------------------------------------------------------------------


def test_a_slower_older_publication_never_replaces_a_newer_one(db):
    make_messages(db, {"title": "Old", "more": "Old"})
    with db.app_context():
        with unit_of_work() as uow:
            old = request_publication(uow, Scope(("en", "hu")), SETTINGS)
        old_files = [(task, build(task)) for task in old.tasks]
        make_messages(db, {"title": "New", "more": "New"})
        new = publish_here(Scope(("en", "hu")), SETTINGS)
        for task, built in old_files:
            with unit_of_work() as uow:
                settle_task(uow, task, built)
    assert state_of(db, old.id) == "overtaken"
    assert current_id(db) == new.id
    assert served(db, "en") == {"title": "New", "more": "New"}


def test_an_older_publication_of_other_locales_does_not_take_a_newer_one_back(db):
    make_messages(db, {"title": "Title"})
    publish(db)
    translate(db, "hu", {"title": "Cím"})
    translate(db, "de", {"title": "Titel"})
    with db.app_context():
        with unit_of_work() as uow:
            hungarian = request_publication(uow, Scope(("hu",)), SETTINGS)
        with unit_of_work() as uow:
            german = request_publication(uow, Scope(("de",)), SETTINGS)
        for task in (*hungarian.tasks, *german.tasks):
            built = build(task)
            with unit_of_work() as uow:
                settle_task(uow, task, built)
    assert served(db, "hu") == {"title": "Cím"}
    assert served(db, "de") == {"title": "Titel"}


def test_of_two_publications_at_once_one_wins_and_none_is_mixed(committed_db):
    namespaces = [f"part{number}" for number in range(4)]
    for namespace in namespaces:
        make_messages(committed_db, {"version": "0"}, namespace=namespace)
    failures = []

    def run(number):
        try:
            for turn in range(3):
                with committed_db.app_context(), unit_of_work() as uow:
                    requested = request_publication(
                        uow, Scope(("en", "hu", "de"), is_forced=True), SETTINGS, reason=f"{number}/{turn}"
                    )
                with committed_db.app_context():
                    for task in requested.tasks:
                        built = build(task)
                        with unit_of_work() as uow:
                            settle_task(uow, task, built)
        except Exception as error:  # told in the main thread, where the test can fail
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not failures
    with committed_db.app_context():
        current = reading().execute(select(CurrentPublication.publication_id)).scalar_one()
        rows = reading().execute(
            select(PublishedCatalogue.locale, PublishedCatalogue.namespace).where(
                PublishedCatalogue.publication_id == current
            )
        )
        assert sorted(rows.all()) == sorted((locale, name) for locale in ("en", "hu", "de") for name in namespaces)
        states = dict(reading().execute(select(Publication.state, func.count()).group_by(Publication.state)).all())
    assert states.keys() <= {"published", "overtaken"}
    assert sum(states.values()) == 6


def test_pointers_written_by_an_older_writer_last_are_put_right(shop):
    publish(shop)
    stale = pointer(shop)
    translate(shop, "hu", {"title": "Új cím"})
    publish(shop)
    with shop.app_context():
        put_pointer("hu", json.dumps(stale).encode())
        write_current_pointers()
    assert pointer(shop)["catalogues"] == ApiClient(shop).get("external/i18n/hu").body["catalogues"]


# -- killed at any moment -----------------------------------------------------------------------------------------------


class Killed(BaseException):
    """Stands for the end of the process: nothing that handles errors handles it."""


@pytest.fixture
def dying(monkeypatch):
    """`dying(steps)`: the process ends at the step after so many with the storage."""

    def begin(steps):
        left = itertools.count(steps, -1)

        def limited(method):
            @functools.wraps(method)
            def call(*arguments, **options):
                if next(left) <= 0:
                    raise Killed
                return method(*arguments, **options)

            return call

        for name in ("has", "put", "get"):
            monkeypatch.setattr(Folder, name, limited(getattr(Folder, name)))

    return begin


# two locales of two namespaces: each file is looked for and written, then each pointer is read and written
@pytest.mark.parametrize("steps", range(4 * 2 + 2 * 2))
def test_a_publication_killed_at_any_step_leaves_one_publication_whole(committed_db, monkeypatch, dying, steps):
    for namespace in ("one", "two"):
        make_messages(committed_db, {"version": "old"}, namespace=namespace)
    publish(committed_db, Scope(("en", "hu")))
    for namespace in ("one", "two"):
        make_messages(committed_db, {"version": f"new {steps}"}, namespace=namespace)
    with committed_db.app_context():
        dying(steps)
        with pytest.raises(Killed):
            publish_here(Scope(("en", "hu")), SETTINGS)
        monkeypatch.undo()
    versions = {
        served(committed_db, locale, namespace)["version"] for locale in ("en", "hu") for namespace in ("one", "two")
    }
    assert len(versions) == 1
    for locale in ("en", "hu"):
        for name in pointer(committed_db, locale)["catalogues"].values():
            with committed_db.app_context():
                assert FILES.get(f"{locale}/{name}") is not None
    drain_outbox(committed_db)  # what a publication that did become current left to do
    for locale in ("en", "hu"):
        answer = ApiClient(committed_db).get(f"external/i18n/{locale}").body
        assert pointer(committed_db, locale)["catalogues"] == answer["catalogues"]


@pytest.mark.fault
def test_a_process_killed_while_it_publishes_leaves_one_publication_whole(committed_db, tmp_path):
    settings = runtime_of(committed_db).settings
    environment = {
        **os.environ,
        "JIKI_ENV": "test",
        "DATABASE_URL": settings.database_url.reveal(),
        "REDIS_URL": settings.redis_url.reveal(),
        "JIKI_PLUGINS_ENABLED": "i18n",
        "JIKI_STORAGE_DIR": settings.storage_dir,
        "JIKI_LOG_LEVEL": "ERROR",
        "FLASK_APP": "jiki_core",
    }
    namespaces = [f"part{number}" for number in range(3)]
    chance = random.Random(11)
    for turn in range(4):
        for namespace in namespaces:
            make_messages(committed_db, {"version": str(turn)}, namespace=namespace)
        if turn == 0:
            publish(committed_db, Scope(ALL_LOCALES))
            continue
        command = [sys.executable, "-m", "flask", "i18n", "publish", "--here"]
        process = subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            at_least = chance.randrange(1, 80)

            def has_got_far(process=process, at_least=at_least):
                with committed_db.app_context():
                    query = select(func.max(Publication.done_count)).where(Publication.state == "building")
                    done = reading().execute(query).scalar_one()
                return process.poll() is not None or (done or 0) >= at_least

            wait_until(has_got_far, seconds=40, what="the publication's start")
            process.send_signal(signal.SIGKILL)
        finally:
            process.kill()
            output = process.communicate(timeout=20)[0]
        versions = {served(committed_db, locale, name)["version"] for locale in ALL_LOCALES for name in namespaces}
        assert len(versions) == 1, output
        assert versions <= {str(turn), str(turn - 1), "0"}
