"""Whether a password is one of those that are tried first, without asking anybody: a list of words and rules over it.

`data/weak_passwords.txt` holds 989 words, names and keyboard rows that lead every list of leaked passwords. The
rules undo what people do to such a word: capitals, digits for letters, digits and marks around it, writing it twice.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

#: typographic substitutions that every guessing tool knows
_LEET = str.maketrans(
    {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s", "!": "i"}
)
_ROWS = ("1234567890", "0987654321", "qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz")
#: what may surround a listed word and still be guessed with it, e.g. a year and a mark
_EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")


def is_guessable(password: str) -> bool:
    """Listed, listed in disguise, a run, or one unit repeated; `password` is in NFKC."""
    lower = password.casefold()
    if "jiki" in lower and len(lower) < 20:
        return True
    return any(_is_listed(form) for form in _forms(lower)) or _is_run(lower) or _is_repetition(lower)


def _forms(lower: str) -> set[str]:
    compact = re.sub(r"\s+", "", lower)
    bare = _EDGES.sub("", compact)
    return {compact, bare, compact.translate(_LEET), _EDGES.sub("", compact.translate(_LEET)), bare.translate(_LEET)}


def _is_listed(form: str) -> bool:
    words = weak_words()
    if form in words:
        return True
    # two listed words in a row, such as "adminpassword"
    return len(form) <= 20 and any(form[:cut] in words and form[cut:] in words for cut in range(3, len(form) - 2))


def _is_run(lower: str) -> bool:
    """Digits only, or neighbours on a row, in pieces of three or more."""
    if re.fullmatch(r"[\d\W_]+", lower) and lower.isascii() and len(set(lower)) <= 12 and len(lower) <= 12:
        return True
    rest = lower
    while rest:
        piece = next(
            (rest[:size] for size in range(len(rest), 2, -1) if any(rest[:size] in row for row in _both_ways())), None
        )
        if piece is None:
            return False
        rest = rest[len(piece) :]
    return True


def _is_repetition(lower: str) -> bool:
    """One unit of up to four characters, again and again."""
    return any(
        len(lower) % size == 0 and lower == lower[:size] * (len(lower) // size)
        for size in range(1, 5)
        if len(lower) >= 2 * size
    )


@lru_cache(maxsize=1)
def weak_words() -> frozenset[str]:
    """The bundled list."""
    text = files("jiki_auth").joinpath("data/weak_passwords.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


@lru_cache(maxsize=1)
def _both_ways() -> tuple[str, ...]:
    return (*_ROWS, *(row[::-1] for row in _ROWS))
