"""What a translation must keep of its source: syntax, placeholders, plural categories, markup, length.

Checks are functions over two texts; a translation is stored only when `check_message` finds no problem.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from babel import Locale

from jiki_i18n.icu import (
    CATEGORIES,
    PLURAL_KINDS,
    Argument,
    Choice,
    Hash,
    MessageSyntaxError,
    Nodes,
    Text,
    exact_number,
    parse,
    walk,
)

#: No message is longer (code points of its ICU text); level milestones, the longest, need a tenth.
MESSAGE_LIMIT_CHARACTERS = 50_000

_NUMERIC_KINDS = frozenset({"", "number", *PLURAL_KINDS})
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
# A tag, or the start of one that a browser would complete with whatever follows. Digits are the tags of
# react-i18next's <Trans>; "a < b" and "I <3 it" are no markup.
_MARKUP = re.compile(
    r"<(?P<close>/?)(?P<name>[a-z][^\s<>/]*+|\d++(?=\s*/?>))(?P<attributes>(?:\"[^\"]*\"|'[^']*'|[^<>\"'])*?)"
    r"(?P<empty>/?)>|<[!?/a-z][^\s<>]*",
    re.IGNORECASE | re.ASCII,
)
_VOID_TAGS = frozenset({"area", "br", "hr", "img", "input", "source", "track", "wbr"})


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a message can't be stored: a stable code, what was found and what to do, and where (code points
    from 0) when it is at one place."""

    code: str
    detail: str
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A parsed message and what its translations are compared by."""

    text: str
    nodes: Nodes
    #: Kinds of each argument: {"count": {"plural"}, "name": {""}}
    arguments: dict[str, frozenset[str]]
    choices: tuple[Choice, ...]
    #: Tags as written, closing ones left out: {"b": 1, 'a href="{url}"': 1}
    markup: Counter[str]
    is_markup_balanced: bool
    #: Code points of the longest variant: arguments count nothing, "#" counts one.
    length: int


def parse_message(text: str) -> Message:
    """Parse and measure a message. Raises MessageSyntaxError."""
    nodes = parse(text)
    kinds: dict[str, set[str]] = {}
    for node in walk(nodes):
        if isinstance(node, Argument | Choice):
            kinds.setdefault(node.name, set()).add(node.kind)
    markup: Counter[str] = Counter()
    is_balanced = True
    for run in _runs(nodes):
        is_balanced &= _read_markup(run, markup)
    return Message(
        text=text,
        nodes=nodes,
        arguments={name: frozenset(found) for name, found in kinds.items()},
        choices=tuple(node for node in walk(nodes) if isinstance(node, Choice)),
        markup=markup,
        is_markup_balanced=is_balanced,
        length=_longest(nodes),
    )


def check_message(
    text: str, locale: str, *, source: Message | None = None, max_length: int | None = None
) -> tuple[Problem, ...]:
    """Every problem of `text` as a message in `locale` (one of ours, or any tag Babel knows). With `source`
    it is checked as the translation of that message, without as a source text of its own."""
    if len(text) > MESSAGE_LIMIT_CHARACTERS:
        return (Problem("too_long", f"{len(text)} characters, the limit is {MESSAGE_LIMIT_CHARACTERS}"),)
    control = _CONTROL.search(text)
    if control is not None:
        detail = f"U+{ord(control[0]):04X} is not a character of any text: remove it"
        return (Problem("control_character", detail, control.start()),)
    try:
        message = parse_message(text)
    except MessageSyntaxError as error:
        return (Problem("syntax", error.reason, error.position),)
    problems = [*_check_plurals(message, locale)]
    if source is not None:
        problems += _check_arguments(message, source)
        problems += _check_select_arms(message, source)
        problems += _check_markup(message, source)
    if max_length is not None and message.length > max_length:
        detail = f"the longest variant has {message.length} characters, the limit of this key is {max_length}"
        problems.append(Problem("too_long", detail))
    return tuple(problems)


@lru_cache(maxsize=256)
def plural_categories(locale: str, *, is_ordinal: bool = False) -> tuple[str, ...]:
    """The plural categories CLDR has for a locale, in CLDR's order, `other` last. Raises
    babel.UnknownLocaleError or ValueError for a tag that names no language."""
    known = Locale.parse(locale, sep="-")
    form = known.ordinal_form if is_ordinal else known.plural_form
    return tuple(each for each in CATEGORIES if each in form.tags or each == "other")


def _check_plurals(message: Message, locale: str) -> Iterator[Problem]:
    for choice in message.choices:
        if choice.kind not in PLURAL_KINDS:
            continue
        required = plural_categories(locale, is_ordinal=choice.kind == "selectordinal")
        given = [selector for selector, _ in choice.arms if exact_number(selector) is None]
        missing = [category for category in required if category not in given]
        unused = [selector for selector in given if selector not in required]
        where = f"{{{choice.name}, {choice.kind}}}"
        if missing:
            detail = f"{where} lacks {', '.join(missing)}: {locale} needs {', '.join(required)}"
            yield Problem("plural_category_missing", detail, choice.position)
        if unused:
            detail = f"{where} has {', '.join(unused)}, which {locale} never uses: it has {', '.join(required)}"
            yield Problem("plural_category_unknown", detail, choice.position)


def _check_arguments(message: Message, source: Message) -> Iterator[Problem]:
    positions = {node.name: node.position for node in walk(message.nodes) if isinstance(node, Argument | Choice)}
    for name in source.arguments.keys() - message.arguments.keys():
        yield Problem("placeholder_missing", f"{{{name}}} of the source is not used")
    for name, kinds in message.arguments.items():
        if name not in source.arguments:
            offered = ", ".join(f"{{{each}}}" for each in sorted(source.arguments)) or "none"
            detail = f"{{{name}}} is not in the source, which has: {offered}"
            yield Problem("placeholder_unknown", detail, positions[name])
            continue
        for kind in sorted(kinds):
            if not _may_stand_for(kind, source.arguments[name]):
                used = " or ".join(each or "plain" for each in sorted(source.arguments[name]))
                detail = f"{{{name}}} is used as {kind or 'plain'}, the source uses it as {used}"
                yield Problem("placeholder_kind", detail, positions[name])


def _may_stand_for(kind: str, source_kinds: frozenset[str]) -> bool:
    """A number may become a plural and the other way round (languages differ in what they inflect), but only
    if the source shows that it is a number: a plain argument may hold anything."""
    return kind in source_kinds or (kind in _NUMERIC_KINDS and source_kinds <= _NUMERIC_KINDS and source_kinds != {""})


def _check_select_arms(message: Message, source: Message) -> Iterator[Problem]:
    offered: dict[str, set[str]] = {}
    for choice in source.choices:
        if choice.kind == "select":
            offered.setdefault(choice.name, set()).update(selector for selector, _ in choice.arms)
    for choice in message.choices:
        if choice.kind != "select" or choice.name not in offered:
            continue
        extra = [selector for selector, _ in choice.arms if selector not in offered[choice.name]]
        if extra:
            known = ", ".join(sorted(offered[choice.name]))
            detail = f"{{{choice.name}, select}} has {', '.join(extra)}; arms are not translated, use: {known}"
            yield Problem("select_arm_unknown", detail, choice.position)


def _check_markup(message: Message, source: Message) -> Iterator[Problem]:
    for tag in message.markup:
        if tag not in source.markup:
            position = message.text.find(f"<{tag.split(' ')[0]}")
            detail = f"<{tag}> is not in the source; a translation brings no markup of its own"
            yield Problem("markup_unknown", detail, position if position >= 0 else None)
    if source.is_markup_balanced and not message.is_markup_balanced:
        yield Problem("markup_unbalanced", "a tag is not closed, or closed in the wrong order")


def _runs(nodes: Nodes) -> Iterator[str]:
    """The text of each level of a message, arguments as `{name}`: what is written between two tags of one
    level is written together, whichever arm is chosen."""
    run: list[str] = []
    for node in nodes:
        match node:
            case Text(value):
                run.append(value)
            case Hash():
                run.append("#")
            case Argument(name):
                run.append(f"{{{name}}}")
            case Choice(name, _, arms):
                run.append(f"{{{name}}}")
                for _, arm in arms:
                    yield from _runs(arm)
    yield "".join(run)


def _read_markup(run: str, found: Counter[str]) -> bool:
    """Add the tags of one run to `found`; are they balanced?"""
    opened: list[str] = []
    is_balanced = True
    for match in _MARKUP.finditer(run):
        name = match["name"]
        if name is None:  # a comment, a declaration, or a tag without an end
            found[match[0][1:]] += 1
            is_balanced = False
        elif match["close"]:
            is_balanced &= bool(opened) and opened.pop() == name.lower()
        else:
            found[" ".join([name.lower(), *match["attributes"].split()])] += 1
            if not match["empty"] and name.lower() not in _VOID_TAGS:
                opened.append(name.lower())
    return is_balanced and not opened


def _longest(nodes: Nodes) -> int:
    length = 0
    for node in nodes:
        match node:
            case Text(value):
                length += len(value)
            case Hash():
                length += 1
            case Choice(_, _, arms):
                length += max((_longest(arm) for _, arm in arms), default=0)
    return length
