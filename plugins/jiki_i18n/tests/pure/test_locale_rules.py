"""The locale table of contract.md 3.10, row by row."""

from __future__ import annotations

import pytest
from babel import Locale as BabelLocale
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jiki_i18n.locales import (
    ACCEPT_LANGUAGE_LIMIT,
    ALL_LOCALES,
    LOCALES,
    PRODUCTION_LOCALES,
    LocaleState,
    canonical_tag,
    fallback_chain,
    is_tag,
    locales_member,
    map_tag,
    parse_accept_language,
    resolve_locale,
    supported_locales,
)

ALL = frozenset(ALL_LOCALES)
PRODUCTION = frozenset(PRODUCTION_LOCALES)
WITHOUT_HU = PRODUCTION - {"hu"}


def test_there_are_the_31_locales_of_the_contract() -> None:
    expected = (
        "ar bn ca de el en es-ES es-419 fa fr hi hu id it ja ko nl pl pt-PT pt-BR ro ru sr sv sw tr uk ur vi "
        "zh-CN zh-TW"
    )
    assert expected.split() == list(ALL_LOCALES)


def test_eleven_of_them_are_in_production() -> None:
    assert {"bn", "el", "en", "es-ES", "es-419", "fr", "hu", "it", "pt-PT", "pt-BR", "uk"} == PRODUCTION
    assert len(PRODUCTION_LOCALES) == 11


@pytest.mark.parametrize("tag", ALL_LOCALES)
def test_direction_of_each_locale_is_the_one_of_cldr(tag: str) -> None:
    assert LOCALES[tag].direction == BabelLocale.parse(tag, sep="-").text_direction


def test_production_serves_live_locales_and_everything_else_serves_all() -> None:
    assert supported_locales(is_production=False) == ALL_LOCALES
    assert supported_locales(is_production=True) == PRODUCTION_LOCALES


def test_promotion_of_a_locale_changes_what_production_serves() -> None:
    states = {"de": LocaleState.LIVE, "hu": LocaleState.DRAFT}
    assert set(supported_locales(is_production=True, states=states)) == (PRODUCTION | {"de"}) - {"hu"}


@pytest.mark.parametrize(("tag", "expected"), [
    ("pt",            "pt-BR"),
    ("pt-BR",         "pt-BR"),
    ("pt-PT",         "pt-PT"),
    ("pt-AO",         "pt-PT"),
    ("pt-Latn-BR",    "pt-BR"),
    ("es",            "es-419"),
    ("es-ES",         "es-ES"),
    ("es-MX",         "es-419"),
    ("es-419",        "es-419"),
    ("es-US",         "es-419"),
    ("zh",            "zh-CN"),
    ("zh-CN",         "zh-CN"),
    ("zh-SG",         "zh-CN"),
    ("zh-TW",         "zh-TW"),
    ("zh-HK",         "zh-TW"),
    ("zh-MO",         "zh-TW"),
    ("zh-Hans",       "zh-CN"),
    ("zh-Hant",       "zh-TW"),
    ("zh-Hant-HK",    "zh-TW"),
    ("en",            "en"),
    ("en-GB",         "en"),
    ("en-US-posix",   "en"),
    ("hu-HU",         "hu"),
    ("sr-Cyrl-RS",    "sr"),
    ("de-CH-1996",    "de"),
    ("fr-x-private",  "fr"),
    ("no",            None),
    ("xx",            None),
    ("*",             None),
    ("",              None),
])  # fmt: skip
def test_a_tag_maps_to_its_locale(tag: str, expected: str | None) -> None:
    assert map_tag(tag, ALL) == expected


@pytest.mark.parametrize(("explicit", "tags", "supported", "served"), [
    # the explicit choice
    ("hu",    [],                        PRODUCTION, "hu"),
    ("de",    [],                        ALL,        "de"),
    ("de",    ["fr"],                    PRODUCTION, "fr"),     # a draft is stored and not served
    ("hu",    [],                        WITHOUT_HU, "en"),     # hu while it was a draft
    ("hu",    ["pt-AO"],                 WITHOUT_HU, "pt-PT"),
    ("tlh",   ["es"],                    PRODUCTION, "es-419"), # no locale of ours at all
    # the stored languages, in order
    (None,    [],                        PRODUCTION, "en"),
    (None,    ["pt"],                    PRODUCTION, "pt-BR"),
    (None,    ["pt-AO"],                 PRODUCTION, "pt-PT"),
    (None,    ["es"],                    PRODUCTION, "es-419"),
    (None,    ["es-MX"],                 PRODUCTION, "es-419"),
    (None,    ["es-ES"],                 PRODUCTION, "es-ES"),
    (None,    ["zh-HK"],                 PRODUCTION, "en"),     # zh-TW is a draft: falls through
    (None,    ["zh-HK"],                 ALL,        "zh-TW"),
    (None,    ["zh-HK", "fr"],           PRODUCTION, "fr"),
    (None,    ["hu-HU", "en"],           PRODUCTION, "hu"),
    (None,    ["hu-HU", "it"],           WITHOUT_HU, "it"),
    (None,    ["no", "de-AT", "uk-UA"],  PRODUCTION, "uk"),
    (None,    ["no", "de-AT", "uk-UA"],  ALL,        "de"),
    (None,    ["en-GB", "hu"],           PRODUCTION, "en"),
    (None,    ["no", "tlh"],             ALL,        "en"),
])  # fmt: skip
def test_locale_served(explicit: str | None, tags: list[str], supported: frozenset[str], served: str) -> None:
    assert resolve_locale(explicit, tags, supported) == served


@pytest.mark.parametrize(("explicit", "served", "tags", "expected"), [
    (None,  "en",    [],                         ["en"]),
    ("hu",  "hu",    ["hu", "en"],               ["hu", "en"]),
    ("de",  "fr",    ["fr-CA", "de"],            ["de", "fr"]),              # an explicit draft comes first
    ("tlh", "en",    ["en"],                     ["en"]),                    # an unknown choice is left out
    (None,  "pt-PT", ["pt-AO", "zh-HK", "no"],   ["pt-PT", "zh-TW"]),        # drafts match, unmapped don't
    (None,  "en",    ["pt", "pt-BR", "pt-PT"],   ["en", "pt-BR", "pt-PT"]),  # each once
])  # fmt: skip
def test_locales_member(explicit: str | None, served: str, tags: list[str], expected: list[str]) -> None:
    assert list(locales_member(explicit, served, tags)) == expected


@pytest.mark.parametrize(("header", "expected"), [
    (None,                                     []),
    ("",                                       []),
    ("hu",                                     ["hu"]),
    ("hu-HU,hu;q=0.9,en-US;q=0.8,en;q=0.7",    ["hu-HU", "hu", "en-US", "en"]),
    ("en;q=0.5, hu",                           ["hu", "en"]),
    ("en;q=0.5,de;q=0.5,fr;q=0.5",             ["en", "de", "fr"]),      # equal weights keep their order
    ("en;q=0,de",                              ["de"]),                  # not wanted
    ("en;q=0.0,de;q=0.001",                    ["de"]),
    ("PT-br, zh-hant-hk, EN-us-POSIX",         ["pt-BR", "zh-Hant-HK", "en-US-posix"]),
    ("sr-latn-rs;q=1.000",                     ["sr-Latn-RS"]),
    ("en, EN;q=0.9, en;q=0.1",                 ["en"]),
    ("de;q=0.2, fr, de",                       ["fr", "de"]),            # a repeated tag: its best weight
    ("*",                                      []),
    ("*;q=0.5, hu;q=0.1",                      ["hu"]),
    (" hu\t;\tq=0.5 , en ; q = 0.9",           ["en", "hu"]),
    ("en;q=1.5,fr;q=-1,de;q=x,it;q=",          []),                      # no such weights
    ("en;q=nan,fr;q=inf,de;q=1e0,it;q=\u0660.\u0665",    []),
    ("en;level=1,fr;q=0.5;q=0.6",              []),
    ("english,x-klingon,i-default,e,en_US",    []),                      # no tags
    ("en\x00,fr\ud800,dé,<script>",            []),
    (",,;,;;q=1,-,--,en-,-en",                 []),
    ("en-" + "a" * 40,                         []),
    ("aa,bb,cc,dd,ee,ff,gg,hh,ii,jj,kk",       ["aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh", "ii", "jj"]),
    ("aa;q=0.1,bb,cc,dd,ee,ff,gg,hh,ii,jj,kk", ["bb", "cc", "dd", "ee", "ff", "gg", "hh", "ii", "jj", "kk"]),
    ("de-u-CO-phonebk, en-a-BBB-x-Ab",         ["de-u-co-phonebk", "en-a-bbb-x-ab"]),
])  # fmt: skip
def test_accept_language_header(header: str | None, expected: list[str]) -> None:
    assert list(parse_accept_language(header)) == expected


@settings(deadline=None)
@given(st.text() | st.from_regex(r"([a-zA-Z-]{1,9}(;q=[0-9.]{1,5})?,?){0,30}", fullmatch=True))
@example("en," * 10_000)
@example(("a" * 8_000 + "-") * 3)
def test_any_header_gives_at_most_ten_canonical_tags(header: str) -> None:
    tags = parse_accept_language(header)
    assert len(tags) <= ACCEPT_LANGUAGE_LIMIT
    assert len(set(tags)) == len(tags)
    assert all(is_tag(tag) and canonical_tag(tag) == tag for tag in tags)


@pytest.mark.parametrize(("tag", "chain"), [
    ("en",     ["en"]),
    ("hu",     ["hu", "en"]),
    ("pt-PT",  ["pt-PT", "pt-BR", "en"]),
    ("pt-BR",  ["pt-BR", "pt-PT", "en"]),
    ("pt-AO",  ["pt-PT", "pt-BR", "en"]),
    ("es-MX",  ["es-419", "es-ES", "en"]),
    ("zh-TW",  ["zh-TW", "en"]),           # never the other script
    ("tlh",    ["en"]),
])  # fmt: skip
def test_fallback_chain(tag: str, chain: list[str]) -> None:
    assert list(fallback_chain(tag)) == chain


def test_fallbacks_are_locales_of_ours() -> None:
    assert {tag for each in LOCALES.values() for tag in each.fallbacks} <= ALL
