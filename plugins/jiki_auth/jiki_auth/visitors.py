"""What a request tells of its visitor: address, program, languages, country."""

from __future__ import annotations

import re

from flask import request

from jiki_auth.commands.sign_in import Visitor
from jiki_core.http import client_address

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
MAXIMUM_TAGS = 10


def current_visitor() -> Visitor:
    return Visitor(client_address(), request.headers.get("User-Agent", ""))


def country_of(header: str | None) -> str | None:
    """The CDN's country in capitals; blank and `XX` (unknown) are None (contract.md 3.1)."""
    code = (header or "").strip().upper()
    return code if re.fullmatch(r"[A-Z]{2}", code) and code != "XX" else None


def language_tags_of(header: str | None) -> tuple[str, ...]:
    """Accept-Language as tags, best first: valid, q > 0, no repeats, at most ten, canonical case (contract.md 3.10)."""
    weighted: list[tuple[float, int, str]] = []
    for position, part in enumerate((header or "").split(",")[:100]):
        tag, _, parameter = part.strip().partition(";")
        try:
            quality = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        if _TAG.fullmatch(tag.strip()) and 0 < quality <= 1:
            weighted.append((-quality, position, _canonical(tag.strip())))
    return tuple(dict.fromkeys(tag for _, _, tag in sorted(weighted)))[:MAXIMUM_TAGS]


def _canonical(tag: str) -> str:
    """`PT-br` -> `pt-BR`, `zh-hans-cn` -> `zh-Hans-CN` (RFC 5646 2.1.1)."""
    first, *rest = tag.split("-")
    return "-".join([first.lower(), *(_subtag(part) for part in rest)])


def _subtag(part: str) -> str:
    return part.upper() if len(part) == 2 else part.capitalize() if len(part) == 4 else part.lower()
