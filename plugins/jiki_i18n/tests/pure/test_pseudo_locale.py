"""Pseudo-locales change what readers see and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from jiki_i18n.icu import MessageSyntaxError, Nodes, render
from jiki_i18n.messages import check_message, parse_message
from jiki_i18n.pseudo import PseudoLocale, pseudo_translate
from jiki_i18n.strategies import message_nodes

ACCENTED, MIRRORED = PseudoLocale


@pytest.mark.parametrize(("text", "expected"), [
    ("",                              ""),
    ("Save",                          "⟦Šååṽéé⟧"),
    ("Hi {name}!",                    "⟦Ĥîî {name}!⟧"),
    ("{n, plural, one {# day} other {# days}}", "⟦{n, plural, one {# ðååý} other {# ðååýš}}⟧"),
    ("{g,select,f{she}other{they}}",  "⟦{g,select,f{šĥéé}other{ţĥééý}}⟧"),
    ('<a href="{url}">go</a>&nbsp;x', '⟦<a href="{url}">ĝöö</a>&nbsp;ẋ⟧'),
    ("it's '{'x'}'",                  "⟦îîţ'š '{'ẋ'}'⟧"),
    ("https://jiki.io/a now",         "⟦https://jiki.io/a ñööŵ⟧"),
    ("{d, date, yyyy}",               "⟦{d, date, yyyy}⟧"),
])  # fmt: skip
def test_accented_english(text: str, expected: str) -> None:
    assert pseudo_translate(text, ACCENTED) == expected


def test_mirrored_english_is_overridden_word_by_word() -> None:
    assert pseudo_translate("Hi {name}", MIRRORED) == "\u200f\u202eHi\u202c\u200f {name}"


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(MessageSyntaxError):
        pseudo_translate("Hi {name", ACCENTED)


@pytest.mark.parametrize("locale", PseudoLocale)
@settings(deadline=None)
@given(nodes=message_nodes("en"))
def test_any_message_keeps_its_placeholders_plurals_and_markup(locale: PseudoLocale, nodes: Nodes) -> None:
    source = parse_message(render(nodes))
    text = pseudo_translate(source.text, locale)
    if source.is_markup_balanced:
        assert check_message(text, "en", source=source) == ()
    changed = parse_message(text)
    assert changed.arguments == source.arguments
    assert [[arm for arm, _ in choice.arms] for choice in changed.choices] == [
        [arm for arm, _ in choice.arms] for choice in source.choices
    ]
