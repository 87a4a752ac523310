"""Plain texts as ICU messages without arguments, and back: translators work on messages, mails show plain texts.

ICU MessageFormat, "apostrophe-friendly": `''` is an apostrophe, a single one quotes only before a brace.
"""

from __future__ import annotations

import re

#: runs that a message could misread: braces with the apostrophes around them, repeated or ambiguous apostrophes
_AMBIGUOUS = re.compile(r"'*[{}][{}']*|''+|'(?=[<>|#]|\Z)")
_TOKEN = re.compile(r"''|'(?=[{}])(?P<quoted>(?:[^']|'')*)(?:'|\Z)|[^']+|'", re.DOTALL)


def as_message(plain: str) -> str:
    """The message that says exactly `plain`."""
    return _AMBIGUOUS.sub(_quoted, plain)


def plain_text(message: str) -> str:
    """What a message without arguments says; an argument that a translator put in stands as it is written."""
    return "".join(_said(token) for token in _TOKEN.finditer(message))


def _quoted(run: re.Match[str]) -> str:
    doubled = run[0].replace("'", "''")
    return f"'{doubled}'" if "{" in doubled or "}" in doubled else doubled


def _said(token: re.Match[str]) -> str:
    if token[0] == "''":
        return "'"
    if token["quoted"] is not None:
        return token["quoted"].replace("''", "'")
    return token[0]
