"""ICU MessageFormat as values: text ↔ typed nodes with positions, and its tokens in their original spelling.

pyicumessageformat reads the syntax; what it lets pass silently (an arm given twice) is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pyicumessageformat import Parser

#: Choices inside choices: real messages nest two or three deep.
NESTING_LIMIT = 10
#: Kinds of argument that choose by a number.
PLURAL_KINDS = ("plural", "selectordinal")
#: CLDR's categories in its own order.
CATEGORIES = ("zero", "one", "two", "few", "many", "other")

# Anything without these characters is a plain text, which most messages are.
_SYNTAX = re.compile(r"[{}']")
_POSITION = re.compile(r" at position (\d+)")
_EXACT = re.compile(r"=(-?\d+)", re.ASCII)
# Runs that must stand in quotes; outside a plural "#" is an ordinary character.
_QUOTED = re.compile(r"'*[{}][{}']*")
_QUOTED_IN_PLURAL = re.compile(r"'*[{}#][{}#']*")
# An apostrophe that an engine could take for the start of a quotation: before one, before markup, at an end.
_APOSTROPHE = re.compile(r"'(?=['<>|#]|$)|(?<=')'")


class MessageSyntaxError(ValueError):
    """Text that is no ICU message; `position` counts code points from 0."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(f"{reason} at position {position}")
        self.reason = reason
        self.position = position


@dataclass(frozen=True, slots=True)
class Text:
    """Literal characters, quoting removed."""

    value: str


@dataclass(frozen=True, slots=True)
class Argument:
    """`{name}`, `{name, kind}` or `{name, kind, style}`; the style keeps its spelling."""

    name: str
    kind: str = ""
    style: str = ""
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Hash:
    """`#`: the number of the plural around it, which is called `name`."""

    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """`{name, plural|selectordinal|select, arm {…} …}`; arms are held in one canonical order, so that two
    spellings of the same choice are equal."""

    name: str
    kind: str
    arms: tuple[tuple[str, Nodes], ...]
    offset: int = 0
    position: int = field(default=0, compare=False)


Node = Text | Argument | Hash | Choice
Nodes = tuple[Node, ...]


def parse(text: str) -> Nodes:
    """The nodes of an ICU message. Raises MessageSyntaxError."""
    if not _SYNTAX.search(text):
        return (Text(text),) if text else ()
    tree, raw_tokens = _read(text)
    _refuse_repeated_arms(raw_tokens)
    styles = (token["text"] for token in raw_tokens if token["type"] == "style")
    return _nodes(tree, styles)


def render(nodes: Nodes) -> str:
    """The canonical spelling of a message; `parse` of it gives `nodes` again."""
    return _render(nodes, in_plural=False)


def same_message(one: str, other: str) -> bool:
    """Do two spellings say the same (spaces in the syntax, quoting and order of arms aside)? Text that is no
    message is only the same as itself."""
    if one == other:
        return True
    try:
        return parse(one) == parse(other)
    except MessageSyntaxError:
        return False


def text_spans(text: str) -> list[tuple[int, int]]:
    """Where a message has literal characters (as written, with their quoting): start and end of each run.
    Raises MessageSyntaxError."""
    _, raw_tokens = _read(text)
    spans: list[tuple[int, int]] = []
    position = 0
    for token in raw_tokens:
        end = position + len(token["text"])
        if token["type"] == "text":
            spans.append((position, end))
        position = end
    return spans


def join_texts(nodes: Iterable[Node]) -> Nodes:
    """The same nodes with texts side by side made one, as `parse` would give them."""
    joined: list[Node] = []
    for node in nodes:
        if isinstance(node, Text) and joined and isinstance(joined[-1], Text):
            joined[-1] = Text(joined[-1].value + node.value)
        else:
            joined.append(node)
    return tuple(joined)


def walk(nodes: Nodes) -> Iterator[Node]:
    """Every node in order, those inside arms included."""
    for node in nodes:
        yield node
        if isinstance(node, Choice):
            for _, arm in node.arms:
                yield from walk(arm)


def exact_number(selector: str) -> int | None:
    """The number of an arm such as `=0`, or None for a category or a word."""
    match = _EXACT.fullmatch(selector)
    return int(match[1]) if match else None


def _read(text: str) -> tuple[list[Any], list[dict[str, str]]]:
    parser = Parser({"include_indices": True, "maximum_depth": NESTING_LIMIT})
    raw_tokens: list[dict[str, str]] = []
    try:
        return parser.parse(text, raw_tokens), raw_tokens
    except SyntaxError as error:
        found = _POSITION.search(str(error))
        if found is None:  # the parser ran past the end and has nothing to say about where
            raise MessageSyntaxError("Unexpected end of the message", len(text)) from None
        raise MessageSyntaxError(str(error).replace(found[0], "", 1), int(found[1])) from None


def _refuse_repeated_arms(raw_tokens: list[dict[str, str]]) -> None:
    open_braces: list[set[str]] = [set()]
    position = 0
    for token in raw_tokens:
        kind, spelling = token["type"], token["text"]
        if kind == "selector":
            if spelling in open_braces[-1]:
                raise MessageSyntaxError(f'Arm "{spelling}" is given twice', position)
            open_braces[-1].add(spelling)
        elif kind == "syntax" and spelling == "{":
            open_braces.append(set())
        elif kind == "syntax" and spelling == "}":
            open_braces.pop()
        position += len(spelling)


def _nodes(tree: list[Any], styles: Iterator[str]) -> Nodes:
    return tuple(_node(item, styles) for item in tree)


def _node(item: Any, styles: Iterator[str]) -> Node:
    if isinstance(item, str):
        return Text(item)
    if item.get("hash"):
        return Hash(item["name"])
    name, kind, position = item["name"], item.get("type", ""), item["start"]
    if "options" in item:
        # Read in the order of the text, for `styles` is a stream in that order, and only then sorted.
        arms = [(selector, _nodes(arm, styles)) for selector, arm in item["options"].items()]
        return Choice(name, kind, tuple(sorted(arms, key=_arm_order)), item.get("offset", 0), position)
    return Argument(name, kind, next(styles) if "format" in item else "", position)


def _arm_order(arm: tuple[str, Nodes]) -> tuple[int, int, str]:
    selector = arm[0]
    number = exact_number(selector)
    if number is not None:
        return (0, number, selector)
    if selector in CATEGORIES:
        return (2, CATEGORIES.index(selector), selector)
    return (1, 0, selector)


def _render(nodes: Nodes, in_plural: bool) -> str:
    return "".join(_render_node(node, in_plural) for node in nodes)


def _render_node(node: Node, in_plural: bool) -> str:
    match node:
        case Text(value):
            return quote(value, in_plural)
        case Hash():
            return "#"
        case Argument(name, kind, style):
            return "{" + ", ".join(part for part in (name, kind, style) if part) + "}"
        case Choice(name, kind, arms, offset):
            inside = [f"offset:{offset}"] if offset else []
            inside += [f"{selector} {{{_render(arm, kind in PLURAL_KINDS)}}}" for selector, arm in arms]
            return f"{{{name}, {kind}, {' '.join(inside)}}}"


def quote(value: str, in_plural: bool = False) -> str:
    """Literal characters as they must be written in a message (`{` → `'{'`)."""
    pattern = _QUOTED_IN_PLURAL if in_plural else _QUOTED
    out: list[str] = []
    end = 0
    for run in pattern.finditer(value):
        out.append(_APOSTROPHE.sub("''", value[end : run.start()]))
        out.append("'" + run[0].replace("'", "''") + "'")
        end = run.end()
    out.append(_APOSTROPHE.sub("''", value[end:]))
    return "".join(out)
