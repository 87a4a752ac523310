"""`external/i18n`: catalogues, their caching, fallbacks and pseudo-locales."""

from __future__ import annotations

import gzip

from jiki_core.testing import ApiClient
from jiki_i18n.exchange import TranslationState
from jiki_i18n.testing import make_messages, translate


def test_a_catalogue_is_the_bare_document_that_a_front_end_loads(client, db):
    make_messages(db, {"cart.title": "Your cart", "cart.empty": "Nothing here"})
    translate(db, "hu", {"cart.title": "Kosarad"})
    answer = client.get("external/i18n/hu/shop").expect(200)
    assert answer.body == {"cart": {"title": "Kosarad", "empty": "Nothing here"}}
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


def test_a_regional_tag_gets_the_locale_it_stands_for(client, db):
    make_messages(db, {"title": "Title"})
    translate(db, "zh-TW", {"title": "標題"})
    assert client.get("external/i18n/zh-HK/shop").body == {"title": "標題"}


def test_missing_messages_come_from_the_fallback_chain(client, db):
    make_messages(db, {"one": "One", "two": "Two", "three": "Three"})
    translate(db, "es-419", {"one": "Uno", "two": "Dos"})
    translate(db, "es-ES", {"one": "Uno (ES)"})
    assert client.get("external/i18n/es-ES/shop").body == {"one": "Uno (ES)", "two": "Dos", "three": "Three"}


def test_the_same_catalogue_is_not_sent_twice(client, db):
    make_messages(db, {"title": "Title"})
    first = client.get("external/i18n/en/shop").expect(200)
    assert first.headers["Cache-Control"] == "public, max-age=60, stale-while-revalidate=86400"
    again = client.get("external/i18n/en/shop", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status == 304
    make_messages(db, {"title": "Another title"})
    client.get("external/i18n/en/shop", headers={"If-None-Match": first.headers["ETag"]}).expect(200)


def test_a_large_catalogue_is_compressed_for_those_who_can_read_that(db):
    make_messages(db, {f"key{number}": "The same words again and again" for number in range(100)})
    client = ApiClient(db)
    plain = client.get("external/i18n/en/shop")
    packed = client.http.get("/api/v1/external/i18n/en/shop", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert gzip.decompress(packed.data) == plain.response.data
    assert len(packed.data) < len(plain.response.data) / 5


def test_outside_production_a_draft_is_seen_before_it_is_reviewed(client, db):
    make_messages(db, {"title": "Title"})
    translate(db, "hu", {"title": "Cím"}, state=TranslationState.DRAFT)
    assert client.get("external/i18n/hu/shop").body == {"title": "Cím"}


def test_a_pseudo_locale_is_english_made_foreign(client, db):
    make_messages(db, {"greeting": "Hello {name}"})
    assert client.get("external/i18n/en-XA/shop").body == {"greeting": "⟦Ĥééļļöö {name}⟧"}


def test_the_locales_say_how_they_are_written(client):
    locales = {one["tag"]: one for one in client.get("external/i18n").expect(200).body["locales"]}
    assert len(locales) == 31
    assert locales["ar"]["direction"] == "rtl"
    assert locales["hu"]["own_name"] == "magyar"


def test_an_unknown_locale_is_told(client):
    client.get("external/i18n/tlh/shop").expect(404, "locale_not_found")


def test_an_unknown_namespace_is_told(client):
    client.get("external/i18n/hu/nothing").expect(404, "catalogue_not_found")


def test_production_serves_live_locales_only(production):
    client = ApiClient(production)
    tags = [one["tag"] for one in client.get("external/i18n").body["locales"]]
    assert tags == ["bn", "el", "en", "es-ES", "es-419", "fr", "hu", "it", "pt-PT", "pt-BR", "uk"]
    client.get("external/i18n/ar/shop").expect(404, "locale_not_found")
    client.get("external/i18n/en-XA/shop").expect(404)


def test_production_serves_nothing_that_was_not_published(production, committed_db):
    make_messages(committed_db, {"title": "Title"})
    ApiClient(production).get("external/i18n/en/shop").expect(404, "catalogue_not_found")
