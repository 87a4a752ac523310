"""What a translation is refused for, and what it may do."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiki_i18n.icu import (
    Choice,
    MessageSyntaxError,
    Node,
    Nodes,
    Text,
    parse,
    render,
    same_message,
    text_spans,
    walk,
)
from jiki_i18n.locales import ALL_LOCALES
from jiki_i18n.messages import MESSAGE_LIMIT_CHARACTERS, check_message, parse_message, plural_categories
from jiki_i18n.strategies import message_nodes, messages, texts

FILES = "{count, plural, one {# file} other {# files}}"
LINK = 'Read <a href="{url}">the <b>guide</b></a>'


def codes(text: str, locale: str = "en", source: str | None = None, max_length: int | None = None) -> list[str]:
    compared = None if source is None else parse_message(source)
    return [each.code for each in check_message(text, locale, source=compared, max_length=max_length)]


def walk_leaves(nodes: Nodes) -> list[Node]:
    return [node for node in walk(nodes) if not isinstance(node, Choice)]


@pytest.mark.parametrize(("text", "position"), [
    ("Hello {name",                                     11),
    ("Hello name}",                                     10),
    ("Hi {}",                                           4),
    ("{a b}",                                           3),
    ("{count, plural}",                                 14),
    ("{count, plural, one {x}}",                        23),   # no "other"
    ("{count, plural, other {{a}",                      26),
    ("{n, plural, one {a} one {b} other {c}}",          20),   # the arm would silently win
    ("{n, number, }",                                   12),
    ("{n, select, other {" * 12 + "x" + "}}" * 12,      None),
])  # fmt: skip
def test_text_that_is_no_message_is_refused_with_its_position(text: str, position: int | None) -> None:
    (problem,) = check_message(text, "en")
    assert problem.code == "syntax"
    assert position is None or problem.position == position


@pytest.mark.parametrize(("locale", "categories"), [
    ("ar", ["zero", "one", "two", "few", "many", "other"]),
    ("pl", ["one", "few", "many", "other"]),
    ("ru", ["one", "few", "many", "other"]),
    ("ja", ["other"]),
    ("en", ["one", "other"]),
    ("hu", ["one", "other"]),
    ("pt-BR", ["one", "many", "other"]),
    ("es-419", ["one", "many", "other"]),
    ("zh-TW", ["other"]),
])  # fmt: skip
def test_plural_categories_are_those_of_cldr(locale: str, categories: list[str]) -> None:
    assert list(plural_categories(locale)) == categories


def test_ordinals_have_categories_of_their_own() -> None:
    assert plural_categories("en", is_ordinal=True) == ("one", "two", "few", "other")


@pytest.mark.parametrize("locale", ALL_LOCALES)
def test_each_locale_needs_each_of_its_categories(locale: str) -> None:
    categories = plural_categories(locale)
    whole = " ".join(f"{each} {{x}}" for each in categories)
    assert codes(f"{{n, plural, {whole}}}", locale) == []
    for missing in categories[:-1]:
        part = " ".join(f"{each} {{x}}" for each in categories if each != missing)
        assert codes(f"{{n, plural, {part}}}", locale) == ["plural_category_missing"]


def test_a_missing_category_is_named_with_those_the_locale_needs() -> None:
    (problem,) = check_message("Masz {n, plural, one {plik} other {pliku}}.", "pl")
    assert problem.detail == "{n, plural} lacks few, many: pl needs one, few, many, other"
    assert problem.position == 5


@pytest.mark.parametrize(("locale", "text", "expected"), [
    ("ja", "{n, plural, one {x} other {x}}",                      ["plural_category_unknown"]),
    ("en", "{n, plural, one {x} oter {x} other {x}}",             ["plural_category_unknown"]),
    ("en", "{n, plural, =0 {none} =12 {a dozen} one {x} other {x}}", []),
    ("en", "{n, plural, =1 {x} other {x}}",                       ["plural_category_missing"]),
    ("en", "{n, selectordinal, one {#st} two {#nd} few {#rd} other {#th}}", []),
    ("en", "{n, selectordinal, one {#st} other {#th}}",           ["plural_category_missing"]),
    ("hu", "{g, select, f {{n, plural, other {x}}} other {x}}",   ["plural_category_missing"]),
])  # fmt: skip
def test_arms_of_plurals(locale: str, text: str, expected: list[str]) -> None:
    assert codes(text, locale) == expected


@pytest.mark.parametrize(("source", "text", "expected"), [
    ("Hi {name}",                 "Szia {name}",                       []),
    ("Hi {name}",                 "Szia",                              ["placeholder_missing"]),
    ("Hi {name}",                 "Szia {name} {x}",                   ["placeholder_unknown"]),
    ("Hi {name}",                 "Szia {name} {name}",                []),
    ("{d, date, short}",          "{d, date, long}",                   []),
    ("{d, date, short}",          "{d}",                               ["placeholder_kind"]),
    ("Hi {name}",                 "{name, plural, one {x} other {y}}", ["placeholder_kind"]),
    (FILES,                       "{count} fájl",                      []),     # Hungarian doesn't inflect here
    ("{n, number} left",          "{n, plural, one {#} other {#}}",    []),
    ("{g, select, f {x} other {y}}", "{g}",                            ["placeholder_kind"]),
    ("{g, select, f {x} other {y}}", "{g, select, other {y}}",         []),
    ("{g, select, f {x} other {y}}", "{g, select, n {x} other {y}}",   ["select_arm_unknown"]),
    ("It's '{'literal'}'",        "Ez '{'szó szerint'}'",              []),
])  # fmt: skip
def test_placeholders_are_those_of_the_source(source: str, text: str, expected: list[str]) -> None:
    assert codes(text, "hu", source) == expected


@pytest.mark.parametrize(("source", "text", "expected"), [
    (LINK,             'Olvasd: <a href="{url}"><b>útmutató</b></a>',  []),
    (LINK,             "Olvasd az útmutatót: {url}",                   []),     # less markup is no danger
    (LINK,             '<a href="https://evil.example/{url}">x</a>',   ["markup_unknown"]),
    (LINK,             '<a  href="{url}" onclick="x()">y</a>',         ["markup_unknown"]),
    (LINK,             '<b>{url}',                                     ["markup_unbalanced"]),
    (LINK,             '<a href="{url}"><b>x</a></b>',                 ["markup_unbalanced"]),
    ("Hello",          "Szia <b>te</b>",                               ["markup_unknown"]),
    ("Hello",          "<script>alert(1)</script>",                    ["markup_unknown"]),
    ("Hello",          "<img src=x onerror=alert(1) ",                 ["markup_unknown", "markup_unbalanced"]),
    ("Hello",          "<!-- x -->",                                   ["markup_unknown", "markup_unbalanced"]),
    ("Hello",          "1 < 2 és I <3 te > 1",                         []),
    ("<0>Hi</0> <1/>", "<1/> <0>Szia</0>",                             []),
    ("<0>Hi</0>",      "<2>Szia</2>",                                  ["markup_unknown"]),
    ("a<br/>b",        "a<br>b",                                       []),
    ("<b>Hi</b>",      "<B>Szia</B>",                                  []),
    (FILES,            "{count, plural, one {<i>#</i>} other {#}}",    ["markup_unknown"]),
    ("<b>{count, plural, one {x} other {y}}</b>", "<b>{count, plural, one {x} other {y}}</b>", []),
])  # fmt: skip
def test_markup_comes_from_the_source_only(source: str, text: str, expected: list[str]) -> None:
    assert codes(text, "hu", source) == expected


@pytest.mark.parametrize(("text", "max_length", "expected"), [
    ("12345",                                       5, []),
    ("123456",                                      5, ["too_long"]),
    ("{user}12345",                                 5, []),            # the value's length is not known
    ("{n, plural, one {# ab} other {# abcd}}",      5, ["too_long"]),  # the longest variant counts
    ("{n, plural, one {# abcd} other {# ab}}",      6, []),
    ("👩‍👩‍👧",                                        5, []),            # code points
])  # fmt: skip
def test_length_of_the_longest_variant(text: str, max_length: int, expected: list[str]) -> None:
    assert codes(text, "en", max_length=max_length) == expected


def test_no_message_is_longer_than_the_limit() -> None:
    assert codes("x" * MESSAGE_LIMIT_CHARACTERS) == []
    assert codes("x" * (MESSAGE_LIMIT_CHARACTERS + 1)) == ["too_long"]


@pytest.mark.parametrize("char", ["\x00", "\x1b", "\ud800", "\ufffe", "\x9b"])
def test_characters_of_no_text_are_refused(char: str) -> None:
    (problem,) = check_message(f"ab{char}", "en")
    assert (problem.code, problem.position) == ("control_character", 2)


def test_line_ends_and_directional_marks_are_text() -> None:
    assert codes("a\n\tb\r\n\u200fשבת\u2028") == []


@pytest.mark.parametrize(("one", "other", "expected"), [
    ("{n,plural,one{a}other{b}}", "{n, plural, other {b} one {a}}", True),
    ("it's",                      "it''s",                          True),
    ("{a}",                       "{b}",                            False),
    ("{n, plural, other {#}}",    "{n, plural, other {{n}}}",       False),
    ("{broken",                   "{broken",                        True),
    ("{broken",                   "{n}",                            False),
])  # fmt: skip
def test_spellings_of_the_same_message(one: str, other: str, expected: bool) -> None:
    assert same_message(one, other) is expected


@settings(deadline=None)
@given(message_nodes("pl"))
def test_rendered_messages_keep_every_literal_and_argument(nodes: Nodes) -> None:
    assert Counter(walk_leaves(parse(render(nodes)))) == Counter(walk_leaves(nodes))


@settings(deadline=None)
@given(messages("pl"))
def test_rendering_is_canonical(text: str) -> None:
    assert render(parse(render(parse(text)))) == render(parse(text))
    assert parse(render(parse(text))) == parse(text)


@settings(deadline=None)
@given(st.sampled_from(ALL_LOCALES).flatmap(lambda locale: st.tuples(st.just(locale), messages(locale))))
def test_a_valid_message_is_a_valid_translation_of_itself(case: tuple[str, str]) -> None:
    locale, text = case
    assert codes(text, locale, text) == []


@settings(deadline=None)
@given(texts())
def test_any_text_is_checked_without_an_exception(text: str) -> None:
    check_message(text, "ar", source=parse_message("Hi {name} <b>x</b>"), max_length=3)


@settings(deadline=None)
@given(messages("ar"))
def test_spans_of_text_hold_the_literals_of_a_message(text: str) -> None:
    written = "".join(text[start:end] for start, end in text_spans(text))
    literals = "".join(node.value for node in walk(parse(text)) if isinstance(node, Text))
    assert Counter(written.replace("'", "")) == Counter(literals.replace("'", ""))


@pytest.mark.parametrize("text", [
    "<a" * 20_000, "<" + "a" * 45_000, "<a " + '"' * 45_000, "<a \"'" * 10_000, "</" * 20_000, "{" * 45_000, "'" * 45_000,
], ids=range(7))  # fmt: skip
@pytest.mark.timeout(10)
def test_hostile_text_is_checked_in_no_time(text: str) -> None:
    check_message(text, "en", source=parse_message("Hi"))


def test_deep_nesting_is_a_syntax_error_and_no_crash() -> None:
    with pytest.raises(MessageSyntaxError):
        parse("{a, select, other {" * 5_000)
