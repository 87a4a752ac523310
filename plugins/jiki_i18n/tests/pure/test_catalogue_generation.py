"""Catalogues: fallback merging, layouts, and bytes that depend on the texts alone."""

from __future__ import annotations

import json
from hashlib import sha256
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiki_i18n.catalogues import (
    CatalogueError,
    Layout,
    canonical_json,
    generate_catalogue,
    merge_fallbacks,
    pack,
    pack_pointer,
)
from jiki_i18n.exchange import Entries
from jiki_i18n.keys import flatten, join_key, nest, split_key
from jiki_i18n.strategies import catalogues, key_paths

TEXTS = {
    "en": {"a": "A", "b": "B", "c": "C", "d": "D"},
    "pt-BR": {"a": "a (Brasil)", "b": "b (Brasil)", "c": ""},
    "pt-PT": {"a": "a (Portugal)", "b": ""},
}


@pytest.mark.parametrize(("locale", "expected"), [
    ("pt-PT", {"a": "a (Portugal)", "b": "b (Brasil)", "c": "C", "d": "D"}),
    ("pt-BR", {"a": "a (Brasil)",   "b": "b (Brasil)", "c": "C", "d": "D"}),
    ("en",    {"a": "A",            "b": "B",          "c": "C", "d": "D"}),
    ("hu",    {"a": "A",            "b": "B",          "c": "C", "d": "D"}),
])  # fmt: skip
def test_missing_texts_come_from_the_fallback_chain(locale: str, expected: dict[str, str]) -> None:
    assert json.loads(generate_catalogue(locale, "web", TEXTS).body) == expected


def test_a_chain_may_be_given() -> None:
    assert merge_fallbacks(["hu"], TEXTS) == {}
    assert merge_fallbacks(["hu", "pt-BR"], TEXTS) == {"a": "a (Brasil)", "b": "b (Brasil)"}


def test_body_is_canonical_json_and_its_hash_is_the_name() -> None:
    catalogue = pack("hu", "web", {"z": "ő", "a.c": "x", "a.b": "👋"})
    assert catalogue.body == '{"a":{"b":"👋","c":"x"},"z":"ő"}'.encode()
    assert catalogue.digest == sha256(catalogue.body).hexdigest()
    assert catalogue.file_name == f"web.{catalogue.digest[:20]}.json"
    assert catalogue.etag == f'"{catalogue.digest[:20]}"'


@pytest.mark.parametrize(("layout", "expected"), [
    (Layout.NESTED,  {"v1.0": {"days": "{count, plural, one {# day} other {# days}}"}, "back\\slash": "{name}"}),
    (Layout.FLAT,    {"v1\\.0.days": "{count, plural, one {# day} other {# days}}", "back\\\\slash": "{name}"}),
    (Layout.I18NEXT, {"v1.0": {"days_one": "{{count, number}} day", "days_other": "{{count, number}} days"},
                      "back\\slash": "{{name}}"}),
])  # fmt: skip
def test_layouts(layout: Layout, expected: dict[str, object]) -> None:
    texts = {"v1\\.0.days": "{count, plural, one {# day} other {# days}}", "back\\\\slash": "{name}"}
    assert json.loads(pack("en", "web", texts, layout).body) == expected


def test_i18next_layout_fills_the_categories_of_the_locale_from_other() -> None:
    texts = {"en": {"days": "In {count, plural, =0 {no days} one {# day} other {# days}}!"}}
    catalogue = generate_catalogue("pl", "web", texts, Layout.I18NEXT)
    assert json.loads(catalogue.body) == {
        "days_zero": "In no days!",
        "days_one": "In {{count, number}} day!",
        "days_few": "In {{count, number}} days!",
        "days_many": "In {{count, number}} days!",
        "days_other": "In {{count, number}} days!",
    }


@pytest.mark.parametrize(("layout", "texts", "faults"), [
    (Layout.NESTED,  {"a": "x", "a.b": "y"},                   ["a is a message, so a.b can't be below it"]),
    (Layout.NESTED,  {"a.b": "y", "a": "x"},                   ["a is a message, so nothing can be below it"]),
    (Layout.I18NEXT, {"a": "{g, select, other {x}}", "b": "y"},
                     ["a: only a single plural of {count}, without offset, can become keys"]),
    (Layout.I18NEXT, {"a": "{count, plural, one {x} other {y}}", "a_one": "z"},
                     ["a_one: a_one is also another message's key"]),
])  # fmt: skip
def test_texts_that_do_not_fit_a_layout_are_named(layout: Layout, texts: dict[str, str], faults: list[str]) -> None:
    with pytest.raises(CatalogueError) as refusal:
        pack("en", "web", texts, layout)
    assert list(refusal.value.faults) == faults


def test_flat_layout_holds_a_message_beside_an_object_of_its_name() -> None:
    assert json.loads(pack("en", "web", {"a": "x", "a.b": "y"}, Layout.FLAT).body) == {"a": "x", "a.b": "y"}


def test_pointer_names_the_current_file_of_each_namespace() -> None:
    web, mail = pack("hu", "web", {"a": "x"}), pack("hu", "mail", {"a": "y"})
    assert json.loads(pack_pointer("hu", [web, mail])) == {
        "locale": "hu",
        "catalogues": {"web": web.file_name, "mail": mail.file_name},
    }
    assert pack_pointer("hu", [web, mail]) == pack_pointer("hu", [mail, web])


@settings(deadline=None)
@given(catalogues(has_details=False), st.randoms(), st.sampled_from([Layout.NESTED, Layout.FLAT]))
def test_bytes_depend_on_the_texts_only(entries: Entries, random: Random, layout: Layout) -> None:
    texts = list(entries.texts().items())
    shuffled = texts[:]
    random.shuffle(shuffled)
    one = pack(entries.locale, "web", dict(texts), layout)
    other = pack(entries.locale, "web", dict(shuffled), layout)
    assert one == other
    document = json.loads(one.body)
    assert (document if layout is Layout.FLAT else flatten(document)) == dict(texts)


@given(key_paths())
def test_keys_are_escaped_paths(path: tuple[str, ...]) -> None:
    assert split_key(join_key(path)) == path


@given(st.text(alphabet="ab.\\", max_size=12))
def test_a_key_has_one_spelling(key: str) -> None:
    try:
        path = split_key(key)
    except ValueError:
        return
    assert join_key(path) == key


@given(st.sets(key_paths(), max_size=8))
def test_nesting_is_undone_by_flattening(paths: set[tuple[str, ...]]) -> None:
    kept = [path for path in paths if not any(path[:size] in paths for size in range(1, len(path)))]
    texts = {join_key(path): str(number) for number, path in enumerate(kept)}
    assert flatten(nest(texts)) == texts


def test_canonical_json_orders_keys_by_code_point() -> None:
    assert canonical_json({"é": "1", "z": "2", "a": "3"}) == '{"a":"3","z":"2","é":"1"}'.encode()
