"""Locales as data, and the rules of contract.md 3.10 as pure functions over them.

Nothing here reads settings, a request or the database: callers pass the locales they serve.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

SOURCE_LOCALE = "en"
#: Most stored languages of one person (contract.md 3.10).
ACCEPT_LANGUAGE_LIMIT = 10
#: RFC 5646 4.4.1: no sensible tag without extensions is longer; what is longer is not stored.
TAG_LIMIT_CHARACTERS = 35


class LocaleState(StrEnum):
    """How far a locale is: each state allows what the one before it allows, and more."""

    KNOWN = "known"  #: may be stored as somebody's choice; nobody translates into it
    DRAFT = "draft"  #: being translated, served outside production
    LIVE = "live"  #: complete enough for production


@dataclass(frozen=True, slots=True)
class Locale:
    """One locale: BCP 47 tag, name in English and in itself, writing direction, first state, and the
    locales whose text stands in for a missing translation before the source language does."""

    tag: str
    name: str
    own_name: str
    direction: str
    state: LocaleState
    fallbacks: tuple[str, ...] = ()


_LIVE, _DRAFT = LocaleState.LIVE, LocaleState.DRAFT

# The two written forms of Chinese do not stand in for each other: a reader of one may not read the other.
# fmt: off
_LOCALES = (
    Locale("ar",     "Arabic",                  "العربية",                   "rtl", _DRAFT),
    Locale("bn",     "Bangla",                  "বাংলা",                      "ltr", _LIVE),
    Locale("ca",     "Catalan",                 "català",                    "ltr", _DRAFT),
    Locale("de",     "German",                  "Deutsch",                   "ltr", _DRAFT),
    Locale("el",     "Greek",                   "Ελληνικά",                  "ltr", _LIVE),
    Locale("en",     "English",                 "English",                   "ltr", _LIVE),
    Locale("es-ES",  "Spanish (Spain)",         "español (España)",          "ltr", _LIVE, ("es-419",)),
    Locale("es-419", "Spanish (Latin America)", "español (Latinoamérica)",   "ltr", _LIVE, ("es-ES",)),
    Locale("fa",     "Persian",                 "فارسی",                     "rtl", _DRAFT),
    Locale("fr",     "French",                  "français",                  "ltr", _LIVE),
    Locale("hi",     "Hindi",                   "हिन्दी",                      "ltr", _DRAFT),
    Locale("hu",     "Hungarian",               "magyar",                    "ltr", _LIVE),
    Locale("id",     "Indonesian",              "Indonesia",                 "ltr", _DRAFT),
    Locale("it",     "Italian",                 "italiano",                  "ltr", _LIVE),
    Locale("ja",     "Japanese",                "日本語",                     "ltr", _DRAFT),
    Locale("ko",     "Korean",                  "한국어",                     "ltr", _DRAFT),
    Locale("nl",     "Dutch",                   "Nederlands",                "ltr", _DRAFT),
    Locale("pl",     "Polish",                  "polski",                    "ltr", _DRAFT),
    Locale("pt-PT",  "Portuguese (Portugal)",   "português (Portugal)",      "ltr", _LIVE, ("pt-BR",)),
    Locale("pt-BR",  "Portuguese (Brazil)",     "português (Brasil)",        "ltr", _LIVE, ("pt-PT",)),
    Locale("ro",     "Romanian",                "română",                    "ltr", _DRAFT),
    Locale("ru",     "Russian",                 "русский",                   "ltr", _DRAFT),
    Locale("sr",     "Serbian",                 "српски",                    "ltr", _DRAFT),
    Locale("sv",     "Swedish",                 "svenska",                   "ltr", _DRAFT),
    Locale("sw",     "Swahili",                 "Kiswahili",                 "ltr", _DRAFT),
    Locale("tr",     "Turkish",                 "Türkçe",                    "ltr", _DRAFT),
    Locale("uk",     "Ukrainian",               "українська",                "ltr", _LIVE),
    Locale("ur",     "Urdu",                    "اردو",                      "rtl", _DRAFT),
    Locale("vi",     "Vietnamese",              "Tiếng Việt",                "ltr", _DRAFT),
    Locale("zh-CN",  "Chinese (Simplified)",    "中文 (简体)",                "ltr", _DRAFT),
    Locale("zh-TW",  "Chinese (Traditional)",   "中文 (繁體)",                "ltr", _DRAFT),
)
# fmt: on

#: Every locale of contract.md 3.10 by its tag, in the contract's order.
LOCALES: Mapping[str, Locale] = {locale.tag: locale for locale in _LOCALES}
ALL_LOCALES: tuple[str, ...] = tuple(LOCALES)
PRODUCTION_LOCALES: tuple[str, ...] = tuple(tag for tag, each in LOCALES.items() if each.state is _LIVE)

#: Languages whose tags collapse by region: (what each named region becomes, what all others become).
_BY_REGION: Mapping[str, tuple[Mapping[str, str], str]] = {
    "pt": ({"BR": "pt-BR"}, "pt-PT"),
    "es": ({"ES": "es-ES"}, "es-419"),
    "zh": ({"TW": "zh-TW", "HK": "zh-TW", "MO": "zh-TW"}, "zh-CN"),
}
#: The same languages without a region. The contract is silent on scripts; a tag that only says
#: "traditional characters" gets them.
_WITHOUT_REGION: Mapping[str, str] = {
    "pt": "pt-BR",
    "es": "es-419",
    "zh": "zh-CN",
    "zh-Hant": "zh-TW",
}

# RFC 5646 2.1, without grandfathered and private-use-only tags: those name no language we could serve.
_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-[a-z]{3}){0,3}"
    r"(?:-(?P<script>[a-z]{4}))?"
    r"(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"
    r"(?:-[0-9a-wyz](?:-[a-z0-9]{2,8})+)*"
    r"(?:-x(?:-[a-z0-9]{1,8})+)?",
    re.IGNORECASE | re.ASCII,
)
_WEIGHT = re.compile(r"q[ \t]*=[ \t]*(?P<q>0?\.[0-9]+|0\.?|1(?:\.0*)?)", re.IGNORECASE | re.ASCII)


def supported_locales(is_production: bool, states: Mapping[str, LocaleState] | None = None) -> tuple[str, ...]:
    """The locales an environment serves, in the contract's order: the live ones in production, all
    elsewhere. `states` overrides the first state of the locales it names (they change by promotion)."""
    if not is_production:
        return ALL_LOCALES
    current = states or {}
    return tuple(tag for tag, each in LOCALES.items() if current.get(tag, each.state) is LocaleState.LIVE)


def parse_accept_language(header: str | None) -> tuple[str, ...]:
    """The languages of an `Accept-Language` header, best first: well-formed tags in canonical case with
    q > 0, by q and then by place, each once, ten at most. What is malformed is left out; never raises."""
    weighed: list[tuple[float, str]] = []
    for item in (header or "").split(","):
        tag, *parameters = (part.strip(" \t") for part in item.split(";"))
        if not is_tag(tag) or len(parameters) > 1:
            continue
        weight = 1.0
        if parameters:
            match = _WEIGHT.fullmatch(parameters[0])
            weight = float(match["q"]) if match else 0.0
        if weight > 0:
            weighed.append((weight, canonical_tag(tag)))
    weighed.sort(key=lambda pair: -pair[0])
    return tuple(dict.fromkeys(tag for _, tag in weighed))[:ACCEPT_LANGUAGE_LIMIT]


def is_tag(value: str) -> bool:
    """Is `value` a well-formed language tag of at most 35 characters (RFC 5646)?"""
    return len(value) <= TAG_LIMIT_CHARACTERS and _TAG.fullmatch(value) is not None


def canonical_tag(tag: str) -> str:
    """`tag` in the case of RFC 5646 2.1.1 (`pt-br` → `pt-BR`, `ZH-hant-hk` → `zh-Hant-HK`)."""
    subtags = tag.lower().split("-")
    for index, subtag in enumerate(subtags[1:], start=1):
        if len(subtag) == 1:
            break  # what follows a singleton (extension, private use) stays in lower case
        if len(subtag) == 2:
            subtags[index] = subtag.upper()
        elif len(subtag) == 4 and subtag.isalpha():
            subtags[index] = subtag.title()
    return "-".join(subtags)


def map_tag(tag: str, locales: Collection[str]) -> str | None:
    """The one of `locales` that a language tag stands for, or None: the exact one, else the one its
    language and region collapse to (contract.md 3.10)."""
    if tag in locales:
        return tag
    match = _TAG.fullmatch(tag)
    if match is None:
        return None
    language, script, region = match["language"].lower(), match["script"], match["region"]
    collapsed = language
    if language in _BY_REGION:
        if region is not None:
            named, other = _BY_REGION[language]
            collapsed = named.get(region.upper(), other)
        else:
            with_script = f"{language}-{(script or '').title()}"
            collapsed = _WITHOUT_REGION.get(with_script, _WITHOUT_REGION[language])
    return collapsed if collapsed in locales else None


def resolve_locale(explicit: str | None, tags: Iterable[str], supported: Collection[str]) -> str:
    """The locale a person is served: the explicit choice if it is supported, else the first stored tag that
    maps to a supported locale, else English."""
    if explicit is not None and explicit in supported:
        return explicit
    for tag in tags:
        mapped = map_tag(tag, supported)
        if mapped is not None:
            return mapped
    return SOURCE_LOCALE


def locales_member(explicit: str | None, served: str, tags: Iterable[str]) -> tuple[str, ...]:
    """The `locales` member of the API's User, each once: the explicit choice if known (drafts are), the
    served locale, and what every stored tag maps to among all locales."""
    found = [served, *(map_tag(tag, ALL_LOCALES) for tag in tags)]
    if explicit in LOCALES:
        found.insert(0, explicit)
    return tuple(dict.fromkeys(tag for tag in found if tag is not None))


def fallback_chain(tag: str) -> tuple[str, ...]:
    """Whose texts a catalogue for `tag` is merged from, best first, always ending in English. A tag that
    is no locale of ours is mapped first; one that maps to none gets English alone."""
    mapped = map_tag(tag, ALL_LOCALES)
    chain = [] if mapped is None else [mapped, *LOCALES[mapped].fallbacks]
    return tuple(dict.fromkeys([*chain, SOURCE_LOCALE]))
