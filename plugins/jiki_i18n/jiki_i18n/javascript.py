"""Reading JavaScript and TypeScript sources without running them: comments, literals, arguments, blocks.

Not a parser: it knows just enough of the language (and of JSX) to find calls and their literal arguments.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

#: A literal without substitutions, in one of three groups.
LITERAL = (
    r'(?:"((?:[^"\\\n]|\\.)*)"'
    r"|'((?:[^'\\\n]|\\.)*)'"
    r"|`((?:[^`\\$]|\\.|\$(?!\{))*)`)"
)

_LITERAL = re.compile(LITERAL, re.DOTALL)
_LITERALS = re.compile(rf"\s*(?:{LITERAL}\s*,?\s*)*", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|.))", re.DOTALL)
_SIMPLE_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "0": "\0",
    "\n": "",
    "\r\n": "",
}
_REGEX = re.compile(r"/(?![*/])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/")
_BEFORE_REGEX = frozenset("(,=:[!&|?{;+")
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_INTERESTING = re.compile(r"[/'\"`{}]")
#: Characters of a call that are looked at: enough for nearly all, and enough for any.
_VIEW_SIZES = (500, 20_000)


@dataclass(frozen=True, slots=True)
class Source:
    """A source text. In `code` comments are blank; in `structure` literals are too. Both have the length of
    the text, so that positions agree."""

    code: str
    structure: str
    _line_starts: tuple[int, ...]

    def line(self, position: int) -> int:
        """The number of the line, from 1."""
        return bisect_right(self._line_starts, position)

    def arguments(self, opening: int) -> list[str]:
        """The arguments of the call whose "(" is at `opening`, as written; what is never closed has none."""
        for code, structure in self._views(opening):
            found: list[str] = []
            depth, start = 0, 1
            for position, char in enumerate(structure):
                depth += (char in _OPENING) - (char in _CLOSING)
                if depth == 0 or (char == "," and depth == 1):
                    found.append(code[start:position].strip())
                    start = position + 1
                if depth == 0:
                    return [argument for argument in found if argument]
        return []

    def element(self, opening: int) -> str:
        """The tag of the JSX element whose "<" is at `opening`, with its attributes; "" if never closed."""
        for code, structure in self._views(opening):
            depth = 0
            for position, char in enumerate(structure):
                depth += (char in _OPENING) - (char in _CLOSING)
                if char == ">" and depth == 0 and structure[position - 1] != "=":
                    return code[: position + 1]
        return ""

    def _views(self, start: int) -> Iterator[tuple[str, str]]:
        """Code and structure from a place that is known to be code. They are made anew, for a quotation mark
        in the text of a page may have turned literals inside out before it."""
        for size in _VIEW_SIZES:
            code = self.code[start : start + size]
            yield code, read_source(code).structure

    def block_end(self, position: int) -> int:
        """Where the block around `position` ends."""
        depth = 0
        for place in range(position, len(self.structure)):
            char = self.structure[place]
            depth += (char == "{") - (char == "}")
            if depth < 0:
                return place
        return len(self.structure)


def read_source(text: str) -> Source:
    """Blank the comments and literals of a source text."""
    code, structure = list(text), list(text)
    templates: list[int] = []  # depth of braces at each "${" we are inside of
    depth = position = 0
    while (found := _INTERESTING.search(text, position)) is not None:
        position, char = found.start(), found[0]
        end = position + 1
        if text.startswith("//", position) and text[position - 1 : position] != ":":
            end = _find(text, "\n", position)
            _blank(end, position, code, structure)
        elif text.startswith("/*", position):
            end = _find(text, "*/", position + 2) + 2
            _blank(end, position, code, structure)
        elif char in "'\"" and not _is_in_word(text, position):
            literal = _LITERAL.match(text, position)
            if literal is not None:  # else an apostrophe in the text of a page
                end = literal.end()
                _blank(end, position, structure)
        elif char == "`" or (char == "}" and templates and templates[-1] == depth):
            if char == "}":
                templates.pop()
            end, is_substitution = _template_part(text, position + 1)
            _blank(end, position, structure)
            if is_substitution:
                templates.append(depth)
        elif char == "/" and _last_char(text, position) in _BEFORE_REGEX:
            regex = _REGEX.match(text, position)
            if regex is not None:
                end = regex.end()
                _blank(end, position, structure)
        else:
            depth += (char == "{") - (char == "}")
        position = end
    starts = (0, *(match.end() for match in re.finditer("\n", text)))
    return Source("".join(code), "".join(structure), starts)


def literal_value(expression: str) -> str | None:
    """The value of an expression that is one literal, or None."""
    match = _LITERAL.fullmatch(expression.strip())
    return _unescape(_group(match)) if match else None


def literal_values(expression: str) -> list[str]:
    """The values of an array of literals; of anything else none."""
    inside = expression.strip()
    if not (inside.startswith("[") and inside.endswith("]") and _LITERALS.fullmatch(inside[1:-1])):
        return []
    return [_unescape(_group(match)) for match in _LITERAL.finditer(inside[1:-1])]


def _group(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)


def _unescape(value: str) -> str:
    def replacement(match: re.Match[str]) -> str:
        digits = match[1] or match[2] or match[3]
        if digits is None:
            return _SIMPLE_ESCAPES.get(match[4], match[4])
        return chr(int(digits, 16)) if int(digits, 16) <= 0x10FFFF else match[0]

    plain = _ESCAPE.sub(replacement, value)
    # "\ud83d\ude00" are two escapes for one character.
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _find(text: str, what: str, start: int) -> int:
    found = text.find(what, start)
    return found if found >= 0 else len(text)


def _blank(end: int, start: int, *copies: list[str]) -> None:
    for copy in copies:
        for position in range(start, min(end, len(copy))):
            if copy[position] != "\n":
                copy[position] = " "


def _template_part(text: str, start: int) -> tuple[int, bool]:
    """Where the part of a template literal from `start` ends, and whether a substitution begins there."""
    position = start
    while position < len(text):
        if text[position] == "\\":
            position += 2
        elif text[position] == "`":
            return position + 1, False
        elif text.startswith("${", position):
            return position + 2, True
        else:
            position += 1
    return len(text), False


def _is_in_word(text: str, position: int) -> bool:
    """Is this quote the apostrophe of a word in a page's text ("Don't")?"""
    return text[position - 1 : position].isalnum()


def _last_char(text: str, position: int) -> str:
    """The character before `position`, spaces aside; at the start of a line or file one that may be followed
    by a regular expression."""
    return text[max(0, position - 200) : position].rstrip(" \t")[-1:].replace("\n", ";") or ";"
