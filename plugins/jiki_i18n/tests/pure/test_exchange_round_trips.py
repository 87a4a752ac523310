"""What is written is read back: five formats, on generated catalogues and on one such as translators make."""

from __future__ import annotations

import json
from contextlib import suppress

import polib
import pytest
from hypothesis import given, settings

from jiki_i18n.exchange import FORMATS, Entries, Entry, ExchangeError, TranslationState
from jiki_i18n.icu import same_message
from jiki_i18n.strategies import catalogues

DETAILED = [name for name, each in FORMATS.items() if each.has_details]

REAL = Entries(
    "ar",
    "lessons",
    (
        Entry("title", "الدروس", source="Lessons", state=TranslationState.REVIEWED, max_length=20),
        Entry(
            "progress.completed",
            "{count, plural, zero {لا دروس} one {درس واحد} two {درسان} few {# دروس} many {# درسًا} other {# درس}}",
            source="{count, plural, one {# lesson} other {# lessons}}",
            description="Shown beside the level's name.\n\nCount is never negative.",
            comment='  "Checked" by Amal #2\n',
            state=TranslationState.MACHINE,
        ),
        Entry("errors.file\\.py", 'لا يمكن قراءة "{name}"\\n', source='Can\'t read "{name}"\\n'),
        Entry("errors.unsaved", "", source="Not saved"),
        Entry(
            "cheer",
            "أحسنت! 👩‍👩‍👧 🎉\u200f\r\n\tالى الأمام\u2028",
            source="Well done! 👩‍👩‍👧 🎉\r\n\tOn you go\u2028",
        ),
        Entry("formula", "=1+1", source="=1+1", description="-- an example --", state=TranslationState.STALE),
        Entry("braces", "it's '{'{name}'}' ''", source="it's '{'{name}'}' ''", comment="'quoted"),
    ),
)


def written_and_read(name: str, entries: Entries) -> Entries:
    document = FORMATS[name].write(entries)
    return FORMATS[name].read(document, locale=entries.locale, namespace=entries.namespace)


@pytest.mark.parametrize("name", DETAILED)
def test_a_real_catalogue_comes_back_whole(name: str) -> None:
    assert written_and_read(name, REAL) == REAL


@pytest.mark.parametrize("name", DETAILED)
@settings(deadline=None)
@given(entries=catalogues(is_nestable=False))
def test_any_catalogue_comes_back_whole(name: str, entries: Entries) -> None:
    assert written_and_read(name, entries) == entries


@settings(deadline=None)
@given(entries=catalogues(has_details=False))
def test_nested_json_gives_keys_and_texts_back(entries: Entries) -> None:
    assert written_and_read("json", entries) == entries


@settings(deadline=None)
@given(entries=catalogues(has_details=False, is_simple=True))
def test_i18next_json_gives_expressible_messages_back(entries: Entries) -> None:
    assert written_and_read("i18next", entries) == entries


@settings(deadline=None)
@given(entries=catalogues(has_details=False))
def test_i18next_json_refuses_what_would_come_back_different(entries: Entries) -> None:
    with suppress(ExchangeError):
        back = written_and_read("i18next", entries).texts()
        assert back.keys() == entries.texts().keys()
        assert all(same_message(text, back[key]) for key, text in entries.texts().items())


@pytest.mark.parametrize("name", DETAILED)
def test_detailed_formats_say_their_locale_and_namespace(name: str) -> None:
    assert FORMATS[name].read(FORMATS[name].write(REAL)) == REAL


@pytest.mark.parametrize("name", FORMATS)
def test_writing_twice_gives_the_same_bytes(name: str) -> None:
    entries = Entries("hu", "common", (Entry("b.c", "x"), Entry("a", "y {name}")))
    reordered = Entries("hu", "common", tuple(reversed(entries.entries)))
    assert FORMATS[name].write(entries) == FORMATS[name].write(reordered)


@pytest.mark.parametrize("name", FORMATS)
def test_a_catalogue_without_messages_comes_back_empty(name: str) -> None:
    empty = Entries("hu", "common", ())
    assert written_and_read(name, empty) == empty


def test_nested_json_holds_objects_and_dots_in_names() -> None:
    entries = Entries("en", "web", (Entry("login.title", "Hi"), Entry("login.v1\\.2", "Old"), Entry("a\\\\b", "x")))
    document = json.loads(FORMATS["json"].write(entries))
    assert document == {"login": {"title": "Hi", "v1.2": "Old"}, "a\\b": "x"}


@pytest.mark.parametrize(("locale", "text", "values"), [
    ("en", "Hi {name}",                                  {"k": "Hi {{name}}"}),
    ("en", "{count, plural, one {# day} other {# days}}", {"k_one":   "{{count, number}} day",
                                                           "k_other": "{{count, number}} days"}),
    ("en", "{count, plural, one {a day} other {{count} days}}", {"k_one":   "a day",
                                                                 "k_other": "{{count}} days"}),
    ("en", "{count, plural, =0 {none} one {x} other {y}}", {"k_zero": "none", "k_one": "x", "k_other": "y"}),
    ("ja", "{count, plural, other {#日}}",               {"k_other": "{{count, number}}日"}),
    ("pl", "{count, plural, one {a} few {b} many {c} other {d}}",
                                {"k_one": "a", "k_few": "b", "k_many": "c", "k_other": "d"}),
    ("en", "{count, selectordinal, one {#st} two {#nd} few {#rd} other {#th}}",
                      {"k_ordinal_one": "{{count, number}}st", "k_ordinal_two":   "{{count, number}}nd",
                       "k_ordinal_few": "{{count, number}}rd", "k_ordinal_other": "{{count, number}}th"}),
    ("en", "{price, currency, USD}",                     {"k": "{{price, currency(USD)}}"}),
    ("en", "'{'one'}' it's",                             {"k": "{one} it's"}),
])  # fmt: skip
def test_i18next_spelling(locale: str, text: str, values: dict[str, str]) -> None:
    entries = Entries(locale, "web", (Entry("k", text),))
    assert json.loads(FORMATS["i18next"].write(entries)) == values
    assert same_message(written_and_read("i18next", entries).texts()["k"], text)


def test_po_is_what_gettext_tools_expect() -> None:
    document = polib.pofile(FORMATS["po"].write(REAL).decode())
    entry = document.find("progress.completed", by="msgctxt")
    assert document.metadata["Language"] == "ar"
    assert entry.msgid == "{count, plural, one {# lesson} other {# lessons}}"
    assert entry.fuzzy
    assert not document.find("title", by="msgctxt").fuzzy
    assert not document.find("errors.unsaved", by="msgctxt").translated()


def test_xliff_names_languages_units_and_states() -> None:
    document = FORMATS["xliff"].write(REAL).decode()
    assert '<xliff xmlns="urn:oasis:names:tc:xliff:document:2.0"' in document
    assert 'srcLang="en" trgLang="ar"' in document
    assert 'name="title" slr:sizeRestriction="20"' in document
    assert '<segment state="reviewed">' in document
    assert '<segment state="translated" subState="jiki:machine">' in document


def test_a_spreadsheet_runs_no_cell_of_a_csv_file() -> None:
    document = FORMATS["csv"].write(REAL).decode("utf-8-sig")
    assert '"\'=1+1"' in document
    assert '"\'-- an example --"' in document
    assert '"=' not in document
