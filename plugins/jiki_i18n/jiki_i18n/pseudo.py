"""Pseudo-locales: English made visibly foreign, so that a page shows what is hard-coded, cut off or glued
together before anybody has translated it. Placeholders, plurals and markup keep working.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from itertools import groupby

from jiki_i18n.icu import text_spans


class PseudoLocale(StrEnum):
    """The two pseudo-locales, by the private tags browsers and Android use for them."""

    ACCENTED = "en-XA"  #: accents on every letter, about 40 % longer, between ⟦ and ⟧
    MIRRORED = "ar-XB"  #: written from right to left


_PLAIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ACCENTED = "ÅƁÇÐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽåƀçðéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýž"
_ACCENTS = str.maketrans(_PLAIN, _ACCENTED)
# What is not for readers: tags (a placeholder may stand in one), entities, addresses.
_PROTECTED = re.compile(r"<[/!?\w][^<>]*>|&#?\w+;|https?://[^\s<>]+")
_VOWELS = re.compile(r"[AEIOUaeiou]")
_WORD = re.compile(r"[^\W\d_]+")
_MIRROR = "\u200f\u202e{}\u202c\u200f"  # right-to-left mark, override, word, end of override, mark


def pseudo_translate(text: str, locale: PseudoLocale) -> str:
    """A source message in a pseudo-locale. Raises MessageSyntaxError when it is no ICU message."""
    if not text:
        return text
    if locale is PseudoLocale.MIRRORED:
        return _change_readable(text, _mirror)
    return f"⟦{_change_readable(text, _accent)}⟧"


def _change_readable(text: str, change: Callable[[str], str]) -> str:
    kept = [False] * len(text)
    for match in _PROTECTED.finditer(text):
        kept[match.start() : match.end()] = [True] * len(match[0])
    out: list[str] = []
    end = 0
    for start, stop in text_spans(text):
        out.append(text[end:start])
        for is_kept, run in groupby(range(start, stop), key=kept.__getitem__):
            part = "".join(text[position] for position in run)
            out.append(part if is_kept else change(part))
        end = stop
    out.append(text[end:])
    return "".join(out)


def _accent(part: str) -> str:
    # Doubled vowels make English about as long as the average translation out of it.
    return _VOWELS.sub(lambda vowel: vowel[0] * 2, part).translate(_ACCENTS)


def _mirror(part: str) -> str:
    return _WORD.sub(lambda word: _MIRROR.format(word[0]), part)
