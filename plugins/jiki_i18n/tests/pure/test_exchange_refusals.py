"""Documents that are refused, each with the place of the fault, and foreign ones that are understood."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiki_i18n.exchange import FORMATS, Entries, Entry, ExchangeError, TranslationState

PO_HEADER = 'msgid ""\nmsgstr "Language: hu\\nX-Jiki-Namespace: web\\n"\n\n'
XLIFF = (
    '<xliff xmlns="urn:oasis:names:tc:xliff:document:2.0" version="2.0" srcLang="en" trgLang="hu">'
    '<file id="web">{}</file></xliff>'
)
UNIT = '<unit id="1" name="k"><segment><source>a</source><target>{}</target></segment></unit>'


def read(name: str, document: str | bytes) -> Entries:
    data = document.encode() if isinstance(document, str) else document
    return FORMATS[name].read(data, locale="hu", namespace="web")


def texts(name: str, document: str | bytes) -> dict[str, str]:
    return read(name, document).texts()


@pytest.mark.parametrize(("name", "document", "fault"), [
    ("json",    "",                                     "not JSON"),
    ("json",    "{",                                    "not JSON"),
    ("json",    "[]",                                   "not a JSON object"),
    ("json",    '{"a": 1}',                             "a is a number, not a string or an object"),
    ("json",    '{"a": {"b": ["x"]}}',                  "a.b is a list, not a string or an object"),
    ("json",    '{"a": null}',                          "a is a null"),
    ("json",    '{"a": NaN}',                           "NaN is not a JSON value"),
    ("json",    '{"a": "x", "a": "y"}',                 "'a' is given twice in one object"),
    ("json",    '{"a": "\\ud800"}',                     "U+D800"),
    ("json",    '{"a": "\\u0000"}',                     "U+0000"),
    ("json",    '{"": "x"}',                            "empty key"),
    ("json",    b'{"a": "\xff"}',                       "byte 7 is not UTF-8"),
    ("json",    '{"a":' * 40 + '"x"' + "}" * 40,        "nested more than 32 levels deep"),
    ("json",    '{"a":' * 90_000,                       "too deep"),
    ("i18next", '{"a": "{{- html}}"}',                  "a: {{- html}} has no ICU counterpart"),
    ("i18next", '{"a": "{{n"}',                         "a: {{ without its counterpart"),
    ("i18next", '{"a": "{{{n}}}"}',                     "a: {{ without its counterpart"),
    ("i18next", '{"a": "{{n, plural}}"}',               "has no ICU counterpart"),
    ("i18next", '{"a": "", "a_one": "y", "a_other": "z"}', "a: there is a plural and another message"),
    ("po",      "",                                     "no header"),
    ("po",      'msgid "a"\nmsgstr "b"',                "no header"),
    ("po",      PO_HEADER + 'msgid "a"\nmsgstr "b"',    "line 4: no msgctxt"),
    ("po",      PO_HEADER + 'msgctxt "k"\nmsgid "a"\nmsgid_plural "b"\nmsgstr[0] "c"', "plural forms"),
    ("po",      PO_HEADER + 'msgctxt "k"\nmsgid "a" b"\nmsgstr "c"',          "line 5"),
    ("po",      PO_HEADER + "what is this",             "line 4"),
    ("po",      PO_HEADER + 'msgctxt "k\\\\x"\nmsgid "a"\nmsgstr "b"',        "a backslash may only"),
    ("xliff",   "",                                     "not XML"),
    ("xliff",   "<a><b></a>",                           "not XML"),
    ("xliff",   "<xliff/>",                             "not xliff of XLIFF 2.0"),
    ("xliff",   '<xliff xmlns="urn:oasis:names:tc:xliff:document:1.2"/>',     "export it as XLIFF 2"),
    ("xliff",   XLIFF.replace("<file", "<file/><file"), "2 <file> elements"),
    ("xliff",   XLIFF.format(UNIT.format('a <ph id="1"/>')),                  "unit 'k': inline element ph"),
    ("xliff",   XLIFF.format(UNIT.format("a") * 2),     "'k' is there 2 times"),
    ("csv",     "",                                     "no column 'key'"),
    ("csv",     "key,value\na,b",                       "no column 'text'"),
    ("csv",     "key,text,text\na,b,c",                 "two columns 'text'"),
    ("csv",     "key,text\na",                          "row 2: 1 cells under 2 columns"),
    ("csv",     'key,text\na,"b',                       "not CSV"),
    ("csv",     "key,text,state\na,b,done",             "row 2: state 'done'"),
    ("csv",     "key,text,max_length\na,b,ten",         "row 2: max_length 'ten' is not a number"),
    ("csv",     "key,text,max_length\na,b,0",           "a length limit of 0"),
    ("csv",     "key,text\na,b\na,c",                   "'a' is there 2 times"),
])  # fmt: skip
def test_a_bad_document_is_refused_with_the_place(name: str, document: str | bytes, fault: str) -> None:
    with pytest.raises(ExchangeError) as refusal:
        read(name, document)
    assert fault in str(refusal.value)


@pytest.mark.parametrize("document", [
    '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>',
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><x>&a;</x>',
    '<!DOCTYPE x SYSTEM "http://localhost/x.dtd"><x/>',
])  # fmt: skip
def test_xliff_with_a_document_type_is_refused_before_it_does_anything(document: str) -> None:
    with pytest.raises(ExchangeError, match="remove the DOCTYPE"):
        read("xliff", document)


def test_xliff_that_only_nests_is_refused() -> None:
    with pytest.raises(ExchangeError, match="nested more than 16 deep"):
        read("xliff", "<a>" * 200_000)


def test_po_content_that_is_a_path_is_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "secret.po"
    path.write_bytes(FORMATS["po"].write(Entries("hu", "web", (Entry("k", "secret"),))))
    with pytest.raises(ExchangeError):
        read("po", str(path))


@pytest.mark.parametrize("name", FORMATS)
@settings(deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    with suppress(ExchangeError):
        FORMATS[name].read(data, locale="hu", namespace="web")


@pytest.mark.parametrize("name", ["po", "xliff", "csv"])
def test_a_file_is_never_read_into_another_locale_or_namespace(name: str) -> None:
    document = FORMATS[name].write(Entries("hu", "web", (Entry("k", "x"),)))
    with pytest.raises(ExchangeError, match="for locale hu, not de"):
        FORMATS[name].read(document, locale="de")
    with pytest.raises(ExchangeError, match="for namespace web, not mail"):
        FORMATS[name].read(document, namespace="mail")


@pytest.mark.parametrize("name", ["json", "i18next"])
def test_formats_without_a_locale_must_be_told_it(name: str) -> None:
    with pytest.raises(ExchangeError, match="doesn't say its locale"):
        FORMATS[name].read(b"{}", namespace="web")


def test_a_region_that_means_the_same_locale_agrees() -> None:
    assert read("xliff", XLIFF.replace('trgLang="hu"', 'trgLang="hu-HU"').format("")).locale == "hu"
    assert read("po", PO_HEADER.replace("Language: hu", "Language: hu_HU")).locale == "hu"


@pytest.mark.parametrize(("text", "reason"), [
    ("{n, plural, one {x} other {y}}",                       "only a single plural of {count}"),
    ("{g, select, other {y}}",                               "only a single plural of {count}"),
    ("{count, plural, offset:1 one {x} other {y}}",          "without offset"),
    ("{count, plural, =7 {x} one {x} other {y}}",            "an arm for an exact number (=7)"),
    ("{count, plural, one {{g, select, other {y}}} other {y}}", "is inside another choice"),
    ("'{{'name'}}'",                                         "literal braces"),
    ("a {count, plural, one {x} other {y}} b",               "would come back as"),
    ("'{'{name}'}'",                                         "literal braces"),
    ("{broken",                                              "at position 7"),
])  # fmt: skip
def test_i18next_names_what_it_cannot_hold_and_why(text: str, reason: str) -> None:
    with pytest.raises(ExchangeError) as refusal:
        FORMATS["i18next"].write(Entries("en", "web", (Entry("k", text),)))
    assert str(refusal.value).startswith("k: ")
    assert reason in str(refusal.value)


def test_i18next_refuses_keys_that_look_like_plurals_of_another() -> None:
    entries = Entries("ja", "web", (Entry("theme_other", "その他"),))
    with pytest.raises(ExchangeError, match="theme_other: would be read as part of a plural"):
        FORMATS["i18next"].write(entries)
    taken = Entries("ja", "web", (Entry("n", "{count, plural, other {x}}"), Entry("n_other", "y")))
    with pytest.raises(ExchangeError, match="n_other: its key n_other is also that of another message"):
        FORMATS["i18next"].write(taken)


@pytest.mark.parametrize("name", ["json", "i18next"])
def test_a_key_that_is_a_message_and_an_object_does_not_fit_nested_json(name: str) -> None:
    with pytest.raises(ExchangeError, match=r"a is a message, so a[.]b can't be below it"):
        FORMATS[name].write(Entries("en", "web", (Entry("a", "x"), Entry("a.b", "y"))))


@pytest.mark.parametrize("fields", [
    {"key": "",         "text": "x"},
    {"key": "a\\b",     "text": "x"},
    {"key": "a\\",      "text": "x"},
    {"key": "a\x07",    "text": "x"},
    {"key": "a",        "text": "\ud800"},
    {"key": "a",        "text": "x", "comment": "\ufdd0"},
    {"key": "a",        "text": "x" * 50_001},
    {"key": "a",        "text": "x", "max_length": 0},
])  # fmt: skip
def test_entries_that_no_format_could_carry_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ExchangeError):
        Entry(**fields)  # type: ignore[arg-type]  # the table holds fields of several types


@pytest.mark.parametrize("namespace", ["", "../etc", "a/b", "a b", ".hidden", "é", "a" * 65, "trailing."])
def test_a_namespace_is_safe_in_a_path(namespace: str) -> None:
    with pytest.raises(ExchangeError, match="is not a namespace"):
        Entries("hu", namespace, ())


def test_many_faults_are_counted_not_all_shown() -> None:
    document = "key,text\n" + "a\n" * 30
    with pytest.raises(ExchangeError, match="and 20 more") as refusal:
        read("csv", document)
    assert len(refusal.value.faults) == 30


def test_foreign_po_flags_and_obsolete_entries() -> None:
    document = (
        PO_HEADER + '#, fuzzy, c-format\nmsgctxt "a"\nmsgid "x"\nmsgstr "y"\n\n'
        'msgctxt "b"\nmsgid "x"\nmsgstr "y"\n\n#~ msgctxt "c"\n#~ msgid "x"\n#~ msgstr "y"\n'
    )
    states = {entry.key: entry.state for entry in read("po", document).entries}
    assert states == {"a": TranslationState.DRAFT, "b": TranslationState.REVIEWED}


def test_clearing_fuzzy_in_an_editor_means_reviewed() -> None:
    stale = Entries("hu", "web", (Entry("k", "x", state=TranslationState.STALE),))
    document = FORMATS["po"].write(stale).decode().replace("#, fuzzy, ", "#, ")
    assert read("po", document).entries[0].state is TranslationState.REVIEWED


def test_po_with_a_byte_order_mark_and_windows_line_ends() -> None:
    document = "\ufeff" + PO_HEADER + 'msgctxt "k"\nmsgid "a"\nmsgstr ""\n"b"\n"c"\n'
    assert texts("po", document.replace("\n", "\r\n")) == {"k": "bc"}


def test_xliff_segments_are_joined_and_annotations_dropped() -> None:
    unit = (
        '<unit id="u7"><segment state="final"><source>A. </source><target>Á. </target></segment>'
        "<ignorable><source>\n</source></ignorable>"
        '<segment state="reviewed"><source>B</source><target><mrk id="m1">É</mrk></target></segment></unit>'
    )
    (entry,) = read("xliff", XLIFF.format(unit)).entries
    assert (entry.key, entry.text, entry.source) == ("u7", "Á. \nÉ", "A. \nB")
    assert entry.state is TranslationState.REVIEWED


def test_an_xliff_unit_with_an_untranslated_segment_is_missing() -> None:
    unit = '<unit id="1" name="k"><segment><source>A</source></segment></unit>'
    (entry,) = read("xliff", XLIFF.format(unit)).entries
    assert (entry.text, entry.state) == ("", TranslationState.MISSING)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_of_any_spreadsheet(separator: str) -> None:
    assert texts("csv", f"key{separator}text\r\na.b{separator}x\r\n\r\n") == {"a.b": "x"}


def test_a_cell_filled_in_beside_the_word_missing_is_a_draft() -> None:
    (entry,) = read("csv", "key,text,state\na,új,missing").entries
    assert entry.state is TranslationState.DRAFT


def test_an_incomplete_i18next_plural_is_still_one_message() -> None:
    entries = FORMATS["i18next"].read(b'{"k_one": "a", "k_other": "b"}', locale="pl", namespace="web")
    assert entries.texts() == {"k": "{count, plural, one {a} other {b}}"}
