"""ICU messages in i18next's own syntax and back: `{{name}}` for placeholders, one key per plural category.

Used by catalogues for front-ends without an ICU plugin, and by the exchange format of the same name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jiki_i18n.icu import (
    CATEGORIES,
    Argument,
    Choice,
    Hash,
    MessageSyntaxError,
    Node,
    Nodes,
    Text,
    join_texts,
    parse,
    render,
)
from jiki_i18n.keys import join_key, split_key
from jiki_i18n.messages import plural_categories

#: The one variable i18next chooses plurals by.
COUNT = "count"

# i18next takes "{{" up to the next "}}"; where other braces touch them the two of us could disagree.
_INTERPOLATION = re.compile(r"(?<!\{)\{\{(?P<inside>[^{}]*)\}\}(?!\})")
_DOUBLE_BRACE = re.compile(r"\{\{|\}\}")
_INSIDE = re.compile(
    r"\s*(?P<name>[^\s,{}#'-][^\s,{}#']*)\s*(?:,\s*(?P<kind>[A-Za-z]\w*)\s*(?:\((?P<style>[^{}']*)\))?\s*)?"
)
_SUFFIX = re.compile(rf"(?P<base>.*?)(?P<ordinal>_ordinal)?_(?P<category>{'|'.join(CATEGORIES)})", re.DOTALL)


class NotExpressible(ValueError):
    """A message that has no counterpart in the other syntax, and why."""


@dataclass(frozen=True, slots=True)
class PluralGroup:
    """The keys of one plural message in an i18next document: category → the key that holds it."""

    key: str
    is_ordinal: bool
    members: Mapping[str, str]


def to_i18next(key: str, text: str, locale: str) -> dict[str, str]:
    """The keys and values that hold one ICU message in an i18next document for `locale`: one, or one for each
    plural category the locale has (text around a plural is repeated in each; a category without an arm gets
    `other`'s, which i18next would not look for). Raises NotExpressible and MessageSyntaxError."""
    nodes = parse(text)
    choices = [(index, node) for index, node in enumerate(nodes) if isinstance(node, Choice)]
    if not choices:
        return {key: _interpolated(nodes)}
    index, choice = choices[0]
    if len(choices) > 1 or choice.name != COUNT or choice.kind == "select" or choice.offset:
        raise NotExpressible(f"only a single plural of {{{COUNT}}}, without offset, can become keys")
    is_ordinal = choice.kind == "selectordinal"
    arms = _arms_by_category(choice, locale)
    *parents, leaf = split_key(key)
    written: dict[str, str] = {}
    for category, arm in arms.items():
        name = f"{leaf}{'_ordinal' if is_ordinal else ''}_{category}"
        value = _interpolated(join_texts((*nodes[:index], *arm, *nodes[index + 1 :])))
        written[join_key((*parents, name))] = value
    return written


def from_i18next(value: str) -> str:
    """The ICU text of one i18next value outside a plural. Raises NotExpressible."""
    return render(_uninterpolated(value))


def plural_from_i18next(values: Mapping[str, str], *, is_ordinal: bool, locale: str) -> str:
    """The ICU plural of {count} for i18next values by category; `zero` is `=0` where the locale has no such
    category, as i18next treats it. Raises NotExpressible."""
    known = plural_categories(locale, is_ordinal=is_ordinal)
    arms: list[tuple[str, Nodes]] = []
    for category in CATEGORIES:
        if category in values:
            selector = "=0" if category == "zero" and "zero" not in known and not is_ordinal else category
            arms.append((selector, _in_plural(_uninterpolated(values[category]))))
    return render((Choice(COUNT, "selectordinal" if is_ordinal else "plural", tuple(arms)),))


def plural_groups(keys: Sequence[str], locale: str) -> list[PluralGroup]:
    """The plural messages among the keys of an i18next document: keys that differ only in a category suffix,
    with `other` among them, and more than one of them unless the locale has a single category."""
    found: dict[tuple[tuple[str, ...], str, bool], dict[str, str]] = {}
    for key in keys:
        *parents, leaf = split_key(key)
        match = _SUFFIX.fullmatch(leaf)
        if match is not None:
            group = (tuple(parents), match["base"], match["ordinal"] is not None)
            found.setdefault(group, {})[match["category"]] = key
    return [
        PluralGroup(join_key((*parents, base)), is_ordinal, members)
        for (parents, base, is_ordinal), members in found.items()
        if "other" in members and (len(members) > 1 or plural_categories(locale, is_ordinal=is_ordinal) == ("other",))
    ]


def _arms_by_category(choice: Choice, locale: str) -> dict[str, Nodes]:
    is_ordinal = choice.kind == "selectordinal"
    known = plural_categories(locale, is_ordinal=is_ordinal)
    given = dict(choice.arms)
    none = given.pop("=0", None)
    exact = [selector for selector in given if selector.startswith("=")]
    if exact or (none is not None and (is_ordinal or "zero" in given)):
        raise NotExpressible(f"an arm for an exact number ({exact[0] if exact else '=0'}) has no suffix")
    if none is not None:
        given["zero"] = none  # i18next looks for it first when the number is 0, in every language
        known = ("zero", *(category for category in known if category != "zero"))
    return {category: given.get(category, given["other"]) for category in known}


def _interpolated(nodes: Nodes) -> str:
    value = "".join(_value(node) for node in nodes)
    expected = tuple(Argument(node.name, "number") if isinstance(node, Hash) else node for node in nodes)
    try:
        is_same = _uninterpolated(value) == expected
    except NotExpressible:
        is_same = False
    if not is_same:
        raise NotExpressible("literal braces would be read as a placeholder")
    return value


def _value(node: Node) -> str:
    match node:
        case Text(value):
            return value
        case Hash(name):
            return f"{{{{{name}, number}}}}"
        case Argument(name, "", _):
            return f"{{{{{name}}}}}"
        case Argument(name, kind, style):
            if "'" in style:
                raise NotExpressible(f"the style of {{{name}, {kind}}} is quoted")
            return f"{{{{{name}, {kind}({style})}}}}" if style else f"{{{{{name}, {kind}}}}}"
        case Choice(name, kind):
            raise NotExpressible(f"{{{name}, {kind}}} is inside another choice")


def _uninterpolated(value: str) -> Nodes:
    return tuple(_pieces(value))


def _pieces(value: str) -> Iterator[Node]:
    end = 0
    for match in _INTERPOLATION.finditer(value):
        yield from _literal(value[end : match.start()])
        end = match.end()
        inside = _INSIDE.fullmatch(match["inside"])
        if inside is None:
            remedy = "; let the front-end switch escaping off instead" if match["inside"][:1] == "-" else ""
            raise NotExpressible(f"{match[0]} has no ICU counterpart{remedy}")
        argument = Argument(inside["name"], inside["kind"] or "", (inside["style"] or "").strip())
        try:
            is_plain = parse(render((argument,))) == (argument,)
        except MessageSyntaxError:
            is_plain = False
        if not is_plain:
            raise NotExpressible(f"{match[0]} has no ICU counterpart")
        yield argument
    yield from _literal(value[end:])


def _literal(value: str) -> Iterator[Text]:
    stray = _DOUBLE_BRACE.search(value)
    if stray is not None:
        raise NotExpressible(f"{stray[0]} without its counterpart")
    if value:
        yield Text(value)


def _in_plural(nodes: Nodes) -> Nodes:
    """Inside the plural of {count}, `{count, number}` is what "#" says."""
    number = Argument(COUNT, "number")
    return tuple(Hash(COUNT) if node == number else node for node in nodes)
