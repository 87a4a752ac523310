"""ICU messages for machines: what an engine may see of a message, and the message made of what it answers. Pure.

An engine gets plain runs of text in which every placeholder is a marker (`<x0/>`); the syntax of plurals never leaves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from jiki_i18n.icu import CATEGORIES, PLURAL_KINDS, Choice, Node, Nodes, Text, exact_number, join_texts, parse, render
from jiki_i18n.messages import plural_categories

_MARKER = re.compile(r"<\s*x\s*(\d+)\s*/\s*>", re.IGNORECASE | re.ASCII)


class MarkersLost(ValueError):
    """The engine dropped, doubled or invented a placeholder."""


def runs_of(text: str, locale: str) -> list[str]:
    """What an engine is to translate for one message in `locale`, in order; nothing for a message without words.

    Raises MessageSyntaxError.
    """
    return [run for run in _runs(fit_plurals(parse(text), locale)) if _has_words(run)]


def with_runs(text: str, locale: str, translated: Sequence[str]) -> str:
    """The message in `locale` with its runs replaced by their translations. Raises MarkersLost."""
    answers = iter(translated)
    return render(_rebuilt(fit_plurals(parse(text), locale), answers))


def copied(text: str, locale: str) -> str:
    """The message itself, with the plural categories of `locale`: what the offline engine gives."""
    return render(fit_plurals(parse(text), locale))


def fit_plurals(nodes: Nodes, locale: str) -> Nodes:
    """The same nodes with exactly the plural categories that CLDR has for `locale`; one that is new says what `other`
    says."""
    return tuple(_fitted(node, locale) for node in nodes)


def _fitted(node: Node, locale: str) -> Node:
    if not isinstance(node, Choice):
        return node
    arms = {selector: fit_plurals(arm, locale) for selector, arm in node.arms}
    if node.kind in PLURAL_KINDS:
        required = plural_categories(locale, is_ordinal=node.kind == "selectordinal")
        exact = {selector: arm for selector, arm in arms.items() if exact_number(selector) is not None}
        arms = exact | {category: arms.get(category, arms["other"]) for category in CATEGORIES if category in required}
    return Choice(node.name, node.kind, tuple(arms.items()), node.offset, node.position)


def _runs(nodes: Nodes) -> Iterator[str]:
    yield _marked(nodes)
    for node in nodes:
        if isinstance(node, Choice):
            for _, arm in node.arms:
                yield from _runs(arm)


def _marked(nodes: Nodes) -> str:
    return "".join(node.value if isinstance(node, Text) else f"<x{index}/>" for index, node in enumerate(nodes))


def _rebuilt(nodes: Nodes, answers: Iterator[str]) -> Nodes:
    run = _marked(nodes)
    pieces = _unmarked(next(answers), nodes) if _has_words(run) else nodes
    # in the order in which the runs were taken, which need not be that of the answer's words
    made = {
        id(node): Choice(
            node.name,
            node.kind,
            tuple((selector, _rebuilt(arm, answers)) for selector, arm in node.arms),
            node.offset,
            node.position,
        )
        for node in nodes
        if isinstance(node, Choice)
    }
    return join_texts(made.get(id(node), node) for node in pieces)


def _unmarked(answer: str, nodes: Nodes) -> Nodes:
    wanted = sorted(index for index, node in enumerate(nodes) if not isinstance(node, Text))
    found = sorted(int(match[1]) for match in _MARKER.finditer(answer))
    if found != wanted:
        raise MarkersLost(f"markers {wanted} became {found}")
    pieces: list[Node] = []
    end = 0
    for match in _MARKER.finditer(answer):
        if match.start() > end:
            pieces.append(Text(answer[end : match.start()]))
        pieces.append(nodes[int(match[1])])
        end = match.end()
    if end < len(answer):
        pieces.append(Text(answer[end:]))
    return tuple(pieces)


def _has_words(run: str) -> bool:
    return any(character.isalpha() for character in _MARKER.sub("", run))
