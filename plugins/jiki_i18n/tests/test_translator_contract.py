"""What other plugins ask i18n: locales of people, and texts."""

from __future__ import annotations

import pytest

from jiki_core.contracts import Translator, ask
from jiki_core.testing import count_queries
from jiki_i18n.catalogues import Layout
from jiki_i18n.testing import make_messages, translate


@pytest.mark.parametrize(
    ("explicit", "tags", "locale"),
    [
        (None, (), "en"),
        ("hu", ("de",), "hu"),
        (None, ("pt-AO",), "pt-PT"),
        (None, ("pt",), "pt-BR"),
        (None, ("es-MX",), "es-419"),
        (None, ("zh-HK",), "zh-TW"),
        (None, ("tlh", "sv-FI"), "sv"),
    ],
)
def test_a_person_is_served_the_first_language_we_have(db, explicit, tags, locale):
    with db.app_context():
        assert ask(Translator).resolve_locale(explicit, tags) == locale


def test_a_draft_chosen_in_production_is_kept_but_not_served(production):
    with production.app_context():
        assert ask(Translator).resolve_locale("de", ("hu",)) == "hu"
        assert tuple(ask(Translator).offered_locales("de", ("hu",))) == ("de", "hu")
        assert "de" in ask(Translator).known_locales()


def test_choosing_a_locale_asks_no_database(db):
    with count_queries(db) as queries, db.app_context():
        ask(Translator).resolve_locale("hu", ("de",))
        ask(Translator).offered_locales("hu", ("de",))
    assert not queries.statements


@pytest.mark.parametrize("layout", list(Layout))
def test_a_text_is_found_whatever_the_layout_of_its_catalogue(db, layout):
    make_messages(db, {"cart.title": "Your cart, {name}"}, layout=layout)
    translate(db, "hu", {"cart.title": "Kosarad, {name}"})
    with db.app_context():
        assert ask(Translator).translate("shop:cart.title", "hu", "?") == "Kosarad, {name}"
        assert ask(Translator).translate("shop:cart.title", "de", "?") == "Your cart, {name}"


def test_a_key_that_nobody_has_keeps_its_default(db):
    with db.app_context():
        assert ask(Translator).translate("shop:nothing", "hu", "As it was") == "As it was"
        assert ask(Translator).translate("without_namespace", "hu", "As it was") == "As it was"


def test_many_texts_take_as_many_statements_as_one(db):
    make_messages(db, {f"key{number}": f"Text {number}" for number in range(20)})
    with db.app_context():
        with count_queries(db) as one:
            ask(Translator).translate_many({"shop:key1": "?"}, "en")
        with count_queries(db) as many:
            texts = ask(Translator).translate_many({f"shop:key{number}": "?" for number in range(20)}, "en")
    assert texts["shop:key7"] == "Text 7"
    assert len(many) == len(one)
