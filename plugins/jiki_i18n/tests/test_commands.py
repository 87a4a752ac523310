"""`flask i18n …`, as people and continuous integration call it."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sqlalchemy import select

from jiki_core.db import reading
from jiki_core.testing import ApiClient
from jiki_i18n.cli import COMMANDS
from jiki_i18n.exchange import TranslationState
from jiki_i18n.models import Namespace
from jiki_i18n.testing import make_messages, message_ids, translate


@pytest.fixture
def flask(db):
    """`flask(*arguments)`: runs one of our commands within the test's transaction."""
    runner = db.test_cli_runner()
    by_name = {command.name: command for command in COMMANDS}

    def run(name, *arguments, expect=0):
        result = runner.invoke(by_name[name], [str(one) for one in arguments])
        assert result.exit_code == expect, result.output
        return result.output

    return run


@pytest.fixture
def shop(db):
    make_messages(db, {"cart.title": "Your cart", "count": "{count, plural, one {# thing} other {# things}}"})
    return db


# -- namespace ----------------------------------------------------------------------------------------------------------


def test_a_namespace_is_made_and_its_layout_changed(flask, db):
    assert flask("namespace", "web", "--layout", "i18next") == "namespace web, layout i18next\n"
    assert flask("namespace", "web", "--layout", "flat", "--description", "The site") == (
        "namespace web, layout flat, description The site\n"
    )
    with db.app_context():
        row = reading().execute(select(Namespace.layout, Namespace.description).where(Namespace.name == "web")).one()
    assert tuple(row) == ("flat", "The site")
    assert "invalid" in flask("namespace", "No Name", expect=1)


# -- sync ---------------------------------------------------------------------------------------------------------------


def test_sync_brings_the_messages_of_every_running_plugin(flask, db):
    assert "i18n common: 5 added" in flask("sync")
    assert ApiClient(db).get("external/i18n/hu/common").body["actions"]["save"] == "Mentés"
    assert "i18n common: 5 unchanged" in flask("sync")


def test_sync_keeps_what_translators_wrote_and_follows_what_they_did_not_touch(flask, db):
    flask("sync")
    translate(db, "hu", {"actions.save": "Elmentem"}, namespace="common")
    flask("sync")
    assert ApiClient(db).get("external/i18n/hu/common").body["actions"]["save"] == "Elmentem"


def test_sync_retires_a_key_that_its_plugin_no_longer_has(flask, db):
    flask("sync")
    make_messages(db, {"gone": "Gone"}, namespace="common")
    assert "common: - gone: retired" in flask("sync")
    assert "gone" not in ApiClient(db).get("external/i18n/en/common").body


def test_a_dry_run_of_sync_changes_nothing(flask, db):
    assert "5 added" in flask("sync", "--dry-run")
    assert message_ids(db, "common") == {}


def test_sync_of_a_plugin_that_is_not_there_is_refused(flask):
    assert "no plugin nowhere is running" in flask("sync", "--plugin", "nowhere", expect=1)


@pytest.fixture
def signs(doorman):
    """What the doorman keeps in tables of its own."""
    kept = importlib.import_module("i18n_doorman.plugin").signs
    kept.update({"open": "Open", "closed": "Closed until {time}"})
    yield kept
    kept.clear()


def test_sync_brings_what_plugins_keep_in_their_own_tables(flask, db, signs):
    assert "doorman: 2 added" in flask("sync")
    del signs["open"]
    signs["closed"] = "Closed for today"
    told = flask("sync")
    assert "doorman: - open: retired" in told
    assert "doorman: ~ closed: 'Closed until {time}' -> 'Closed for today' (translations become stale)" in told


def test_a_text_that_is_no_message_is_told_and_left_out(flask, db, signs):
    signs["open"] = "{open"
    told = flask("sync", expect=1)
    assert "doorman: x open: syntax" in told
    assert set(message_ids(db, "doorman")) == {"closed"}


# -- extract ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def front_end(tmp_path):
    (tmp_path / "Cart.tsx").write_text(
        'const { t } = useTranslation("shop");\nt("cart.title");\nt("cart.empty", "Nothing here");\nt("cart.total");\n'
    )
    return tmp_path


def test_extract_tells_missing_and_unused_keys_with_their_places(flask, shop, front_end):
    told = flask("extract", front_end, expect=1)
    assert "missing shop:cart.empty (Cart.tsx:3)" in told
    assert "unused shop:count" in told


def test_extract_adds_missing_keys_with_the_texts_of_their_calls(flask, shop, front_end):
    assert "shop: 2 added" in flask("extract", front_end, "--add")
    admin = ApiClient(shop, {"X-Doorman": "1 admin"})
    rows = {row["key"]: row["source"] for row in admin.get("admin/i18n/messages").body["results"]}
    assert rows["cart.empty"] == "Nothing here"
    assert rows["cart.total"] == ""
    assert "source_missing" in flask("check", "--locale", "en", expect=1)
    assert ApiClient(shop).get("external/i18n/en/shop").body["cart"] == {"title": "Your cart", "empty": "Nothing here"}


# -- import and export --------------------------------------------------------------------------------------------------


def test_a_file_of_english_brings_keys_and_one_of_another_locale_translates_them(flask, db, tmp_path):
    english, hungarian = tmp_path / "en.json", tmp_path / "hu.json"
    english.write_text('{"cart": {"title": "Your cart"}}')
    hungarian.write_text('{"cart": {"title": "Kosarad", "more": "Más"}}')
    assert "shop en: 1 added" in flask("import", english, "--locale", "en", "--namespace", "shop")
    told = flask("import", hungarian, "--locale", "hu", "--namespace", "shop")
    assert "+ cart.title: 'Kosarad'" in told
    assert "? cart.more: no such key" in told


def test_an_import_with_conflicts_is_refused_until_a_policy_is_chosen(flask, shop, tmp_path):
    translate(shop, "hu", {"cart.title": "Kosár"})
    file = tmp_path / "hu.json"
    file.write_text('{"cart": {"title": "Kosarad"}}')
    options = ("--locale", "hu", "--namespace", "shop")
    assert "nothing was imported" in flask("import", file, *options, expect=1)
    assert "1 kept" in flask("import", file, *options, "--policy", "unreviewed")
    assert "1 updated" in flask("import", file, *options, "--policy", "theirs")


def test_an_invalid_message_of_a_file_is_told_and_left_out(flask, shop, tmp_path):
    file = tmp_path / "pl.json"
    file.write_text('{"count": "{count, plural, one {#} other {#}}", "cart": {"title": "Koszyk"}}')
    told = flask("import", file, "--locale", "pl", "--namespace", "shop", expect=1)
    assert "x count: plural_category_missing" in told
    assert "1 added" in told


def test_an_export_is_what_an_import_takes(flask, shop, tmp_path):
    translate(shop, "hu", {"cart.title": "Kosár"})
    file = tmp_path / "hu.po"
    flask("export", "--locale", "hu", "--namespace", "shop", "--output", file)
    assert 'msgctxt "cart.title"' in file.read_text()
    assert "unchanged" in flask("import", file)
    assert json.loads(flask("export", "--locale", "hu", "--namespace", "shop")) == {"cart": {"title": "Kosár"}}


def test_an_unreadable_file_is_told_with_its_faults(flask, shop, tmp_path):
    file = tmp_path / "hu.json"
    file.write_text('{"a": [1]}')
    told = flask("import", file, "--locale", "hu", "--namespace", "shop", expect=1)
    assert "a is a list" in told


# -- check --------------------------------------------------------------------------------------------------------------


def test_check_passes_when_all_is_well(flask, shop):
    translate(shop, "hu", {"cart.title": "Kosár", "count": "{count, plural, one {#} other {#}}"})
    assert "2 catalogues checked, 0 problems found" in flask("check", "--locale", "en", "--locale", "hu")


def test_check_fails_for_a_live_locale_that_is_not_complete(flask, shop, tmp_path):
    translate(shop, "hu", {"cart.title": "Kosár"})
    report = tmp_path / "report.xml"
    told = flask("check", "--locale", "hu", "--locale", "de", "--junit", report, expect=1)
    assert "hu shop: incomplete: 50 % of 2 messages are reviewed, 95 % are needed" in told
    suites = {suite.get("name"): suite for suite in ElementTree.parse(report).getroot()}
    assert (suites["hu"].get("failures"), suites["de"].get("failures")) == ("1", "0")
    failure = suites["hu"].find("testcase/failure")
    assert "50 %" in failure.text


def test_a_gate_of_ones_own_holds_for_every_locale(flask, shop):
    translate(shop, "hu", {"cart.title": "Kosár"})
    flask("check", "--locale", "hu", "--minimum", "50")
    flask("check", "--locale", "hu", "--minimum", "51", expect=1)


def test_a_wrong_command_line_is_another_exit_code(flask):
    flask("check", "--minimum", "200", expect=2)


def test_check_finds_messages_that_cannot_be_laid_out(flask, shop):
    make_messages(shop, {"cart.title.below": "Below a message"})
    assert "layout: cart.title is a message" in flask("check", "--locale", "en", expect=1)


# -- the rest -----------------------------------------------------------------------------------------------------------


def test_publish_rollback_and_publish_again(flask, shop):
    options = ("--here", "--locale", "en", "--locale", "hu")
    assert "2 catalogues made" in flask("publish", *options)
    assert "nothing has changed: 2 catalogues are current" in flask("publish", *options)
    make_messages(shop, {"cart.title": "The cart"})
    assert "2 catalogues made" in flask("publish", *options)
    listed = [int(line.split()[0]) for line in flask("rollback").splitlines()]
    assert len(listed) == 2
    flask("rollback", listed[1])
    assert ApiClient(shop).get("external/i18n/en/shop").body["cart"]["title"] == "Your cart"
    assert "publication not found" in flask("rollback", 999_999, expect=1)


def test_publish_leaves_the_work_to_the_workers_unless_told(flask, shop):
    assert "1 catalogues are being made" in flask("publish", "--detach", "--locale", "hu")


def test_publish_says_when_no_worker_comes(flask, shop):
    assert "is a worker running on the queue heavy?" in flask("publish", "--locale", "hu", "--timeout", "0", expect=1)


def test_stats_are_for_people_and_machines(flask, shop):
    translate(shop, "hu", {"cart.title": "Kosár"}, state=TranslationState.DRAFT)
    assert "1 draft, 1 missing" in flask("stats", "--locale", "hu")
    rows = json.loads(flask("stats", "--json"))["completeness"]
    assert len(rows) == 31
    hungarian = next(row for row in rows if row["locale"] == "hu")
    assert (hungarian["total"], hungarian["missing"], hungarian["draft"], hungarian["percent"]) == (2, 1, 1, 0)


def test_promote_needs_enough_reviewed_messages(flask, shop):
    assert "locale incomplete (percent: 0" in flask("promote", "de", "live", expect=1)
    assert "de: draft -> live" in flask("promote", "de", "live", "--force")
    assert "locale not found" in flask("promote", "tlh", "live", expect=1)


def test_every_command_is_listed_in_the_readme():
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert [name for name in (command.name for command in COMMANDS) if f"flask i18n {name}" not in readme] == []
