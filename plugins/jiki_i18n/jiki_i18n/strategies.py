"""Hypothesis strategies for messages, keys and catalogues: for tests only, nothing that serves imports this module.

They prefer what breaks formats: quoting, line ends of every script, right-to-left text, emoji, dots in keys.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from jiki_i18n.exchange.entries import Entries, Entry, TranslationState
from jiki_i18n.icu import PLURAL_KINDS, Argument, Choice, Hash, Node, Nodes, Text, join_texts, render
from jiki_i18n.keys import join_key
from jiki_i18n.locales import ALL_LOCALES
from jiki_i18n.messages import plural_categories

_HARD_PIECES = (
    "'",
    "''",
    "{",
    "}",
    "{{",
    "}}",
    "#",
    "|",
    '"',
    "\\",
    "\\n",
    "%s",
    "&amp;",
    "]]>",
    "<!--",
    "<b>",
    "</b>",
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\x85",
    "\u2028",
    "\u2029",
    "\u00a0",
    "\ufeff",
    " ",
    ",",
    ";",
    "=1+1",
    "+",
    "-",
    "@",
    "$t(key)",
    "// x",
    "#~",
    "שלום עולם",
    "مرحبا",
    "\u200f",
    "\u202e",
    "👩‍👩‍👧",
    "🇭🇺",
    "é",
    "e\u0301",
    "日本語",
    "हिन्दी",
)
_CARRIABLE = st.characters(
    codec="utf-8",
    exclude_categories=("Cc", "Cs"),
    exclude_characters=[*map(chr, range(0xFDD0, 0xFDF0)), "\ufffe", "\uffff"],
)
_WORDS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,7}", fullmatch=True)


def texts(min_size: int = 0) -> st.SearchStrategy[str]:
    """Any text that messages may hold."""
    pieces = st.one_of(st.sampled_from(_HARD_PIECES), st.text(_CARRIABLE, min_size=1, max_size=6))
    return st.lists(pieces, min_size=min_size, max_size=5).map("".join)


def key_paths() -> st.SearchStrategy[tuple[str, ...]]:
    """Paths of one to four parts, dots, backslashes and any script inside them."""
    pieces = st.one_of(st.sampled_from((".", "..", "\\", "\\.", " ", '"', "key", "ключ", "💡")), _WORDS)
    parts = st.lists(pieces, min_size=1, max_size=3).map("".join)
    return st.lists(parts, min_size=1, max_size=4).map(tuple)


def messages(locale: str = "en") -> st.SearchStrategy[str]:
    """Valid ICU messages of a locale: text, arguments, plurals and selects inside each other."""
    return message_nodes(locale).map(render)


def message_nodes(locale: str = "en", depth: int = 2) -> st.SearchStrategy[Nodes]:
    """Messages as nodes; no two texts stand side by side."""
    return _sequences(locale, depth, None)


def simple_messages(locale: str) -> st.SearchStrategy[str]:
    """Messages that i18next's own syntax can hold: text and arguments, or one plural of {count} of them."""
    plain = st.lists(
        st.one_of(
            texts(1).filter(lambda value: "{" not in value and "}" not in value).map(Text),
            st.builds(Argument, _WORDS.filter(lambda name: name != "count"), st.sampled_from(("", "number"))),
        ),
        max_size=4,
    ).map(join_texts)
    kinds = st.sampled_from(PLURAL_KINDS)
    plurals = kinds.flatmap(
        lambda kind: st.tuples(
            *(
                st.tuples(st.just(category), st.one_of(plain, st.just((Hash("count"),))))
                for category in plural_categories(locale, is_ordinal=kind == "selectordinal")
            )
        ).map(lambda arms: (Choice("count", kind, arms),))
    )
    return st.one_of(plain, plurals).map(render)


@st.composite
def catalogues(
    draw: st.DrawFn, *, has_details: bool = True, is_nestable: bool = True, is_simple: bool = False
) -> Entries:
    """Entries of one namespace and locale: with sources, states and notes (`has_details`), with keys that fit
    into one nested document (`is_nestable`), with messages i18next can hold (`is_simple`)."""
    locale = draw(st.sampled_from(ALL_LOCALES))
    paths = draw(st.sets(key_paths(), max_size=6))
    if is_nestable:
        paths = {path for path in paths if not any(path[:size] in paths for size in range(1, len(path)))}
    translations = simple_messages(locale) if is_simple else st.one_of(st.just(""), texts(), messages(locale))
    entries = [Entry(join_key(path), draw(translations), **(draw(_details()) if has_details else {})) for path in paths]
    return Entries(locale, draw(st.sampled_from(("common", "web-app", "mail.v2"))), tuple(entries))


def _details() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "source": texts(),
            "description": texts(),
            "comment": texts(),
            "state": st.sampled_from(TranslationState),
            "max_length": st.one_of(st.none(), st.integers(1, 10_000)),
        }
    )


def _sequences(locale: str, depth: int, plural: str | None) -> st.SearchStrategy[Nodes]:
    nodes: list[st.SearchStrategy[Node]] = [
        texts(1).filter(bool).map(Text),
        st.builds(Argument, _WORDS),
        st.builds(Argument, _WORDS, st.sampled_from(("number", "date")), st.sampled_from(("", "short", "yy ''MM"))),
    ]
    if plural is not None:
        nodes.append(st.just(Hash(plural)))
    if depth:
        nodes.append(_choices(locale, depth - 1))
    return st.lists(st.one_of(nodes), max_size=4).map(join_texts)


@st.composite
def _choices(draw: st.DrawFn, locale: str, depth: int) -> Choice:
    name, kind = draw(_WORDS), draw(st.sampled_from(("plural", "selectordinal", "select")))
    if kind == "select":
        selectors = [*draw(st.sets(_WORDS.filter(lambda word: word != "other"), max_size=2)), "other"]
        return Choice(name, kind, tuple((each, draw(_sequences(locale, depth, None))) for each in selectors))
    exact = [f"={number}" for number in draw(st.sets(st.integers(0, 9), max_size=2))]
    selectors = [*exact, *plural_categories(locale, is_ordinal=kind == "selectordinal")]
    arms = tuple((each, draw(_sequences(locale, depth, name))) for each in selectors)
    return Choice(name, kind, arms, offset=draw(st.integers(0, 2)))
