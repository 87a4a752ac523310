"""`admin/i18n`: keys, translations, review, and who may do what."""

from __future__ import annotations

import pytest

from jiki_core.testing import ApiClient, count_queries, drain_outbox
from jiki_i18n.exchange import TranslationState
from jiki_i18n.testing import make_messages, translate

GREETING = "Hello {name}"


@pytest.fixture
def greeting(db):
    """The id of one message."""
    return make_messages(db, {"greeting": GREETING}).ids["greeting"]


@pytest.fixture
def grant(admin):
    """Gives user 2 a locale."""

    def give(locale, *, may_review=False, user_id=2):
        path = f"admin/i18n/translators/{user_id}/{locale}"
        admin.put(path, {"translator": {"may_review": may_review}}).expect(200)

    return give


def put(client, message_id, text, *, locale="hu", version=0, **more):
    path = f"admin/i18n/messages/{message_id}/translations/{locale}"
    return client.put(path, {"translation": {"text": text, "version": version, **more}})


def approve(client, message_id, *, locale="hu", version=1):
    path = f"admin/i18n/messages/{message_id}/translations/{locale}/approve"
    return client.post(path, {"translation": {"version": version}})


# -- who may ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["messages", "locales", "statistics", "publications", "namespaces"])
def test_strangers_and_learners_see_nothing(db, path):
    ApiClient(db).get(f"admin/i18n/{path}").expect(401, "unauthenticated")
    ApiClient(db, {"X-Doorman": "3 learner"}).get(f"admin/i18n/{path}").expect(403, "forbidden")


def test_a_translator_without_a_grant_reads_only(translator, greeting):
    translator.get("admin/i18n/messages?locale=hu").expect(200)
    put(translator, greeting, "Szia {name}").expect(403, "locale_not_granted")


def test_a_translator_of_one_locale_touches_no_other(translator, greeting, grant):
    grant("hu")
    put(translator, greeting, "Szia {name}").expect(200)
    put(translator, greeting, "Hallo {name}", locale="de").expect(403, "locale_not_granted")
    comment = {"comment": {"locale": "de", "body": "No"}}
    translator.post(f"admin/i18n/messages/{greeting}/comments", comment).expect(403, "locale_not_granted")
    document = {"document": {"format": "json", "content": '{"greeting":"Hallo {name}"}'}}
    translator.post("admin/i18n/exchange/de/shop", document).expect(403, "locale_not_granted")
    translator.post("admin/i18n/exchange/en/shop", document).expect(403, "locale_not_granted")
    machine = {"translation": {"locale": "de", "namespace": "shop"}}
    translator.post("admin/i18n/translations/machine", machine).expect(403, "locale_not_granted")


def test_grants_are_listed_by_user_and_locale(admin, grant):
    grant("hu", may_review=True)
    grant("de")
    listed = admin.get("admin/i18n/translators").expect(200).body["translators"]
    assert [(one["user_id"], one["locale"], one["may_review"]) for one in listed] == [(2, "de", False), (2, "hu", True)]


def test_a_revoked_grant_is_over(translator, greeting, grant, admin):
    grant("hu")
    admin.delete("admin/i18n/translators/2/hu").expect(204)
    put(translator, greeting, "Szia {name}").expect(403, "locale_not_granted")
    admin.delete("admin/i18n/translators/2/hu").expect(404, "translator_not_found")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "locales/hu", {"locale": {"state": "live"}}),
        ("POST", "namespaces", {"namespace": {"name": "more"}}),
        ("POST", "messages", {"message": {"namespace": "shop", "key": "more", "source": "More"}}),
        ("POST", "publications", {"publication": {}}),
        ("PUT", "translators/2/hu", {"translator": {"may_review": True}}),
    ],
)
def test_what_managers_do_is_closed_to_translators(translator, method, path, body):
    translator.call(method, f"admin/i18n/{path}", json=body).expect(403, "forbidden")


def test_the_locales_say_what_one_may_do(translator, grant):
    grant("hu", may_review=True)
    locales = {one["tag"]: one for one in translator.get("admin/i18n/locales").expect(200).body["locales"]}
    assert (locales["hu"]["may_write"], locales["hu"]["may_review"]) == (True, True)
    assert (locales["de"]["may_write"], locales["de"]["state"]) == (False, "draft")


# -- translating --------------------------------------------------------------------------------------------------------


def test_a_translation_is_a_draft_at_first(admin, greeting):
    message = put(admin, greeting, "Szia {name}", comment="informal").expect(200).body["message"]
    assert message["translation"]["state"] == "draft"
    assert message["translation"]["comment"] == "informal"
    assert message["translation"]["version"] == 1
    assert message["translation"]["author_id"] == 1


@pytest.mark.parametrize(
    ("source", "locale", "text", "code"),
    [
        (GREETING, "hu", "Szia {name", "syntax"),
        (GREETING, "hu", "Szia", "placeholder_missing"),
        (GREETING, "hu", "Szia {name} {other}", "placeholder_unknown"),
        (GREETING, "hu", "<b>Szia</b> {name}", "markup_unknown"),
        ("{count, plural, one {#} other {#}}", "pl", "{count, plural, one {#} other {#}}", "plural_category_missing"),
        ("{count, plural, one {#} other {#}}", "ja", "{count, plural, one {#} other {#}}", "plural_category_unknown"),
    ],
)
def test_a_text_that_is_no_translation_is_refused(admin, db, source, locale, text, code):
    message_id = make_messages(db, {"message": source}).ids["message"]
    answer = put(admin, message_id, text, locale=locale).expect(422, "invalid_message")
    assert code in {one["code"] for one in answer.error["problems"]}


def test_a_text_longer_than_its_key_allows_is_refused(admin, greeting):
    admin.patch(f"admin/i18n/messages/{greeting}", {"message": {"version": 1, "max_length": 8}}).expect(200)
    answer = put(admin, greeting, "Jó napot kívánok {name}").expect(422, "invalid_message")
    assert answer.error["problems"][0]["code"] == "too_long"


def test_english_is_no_translation(admin, greeting):
    put(admin, greeting, "Hi {name}", locale="en").expect(404, "locale_not_found")


def test_the_slower_of_two_editors_is_told_what_is_stored(admin, greeting):
    put(admin, greeting, "Szia {name}").expect(200)
    answer = put(admin, greeting, "Helló {name}").expect(409, "version_conflict")
    assert (answer.error["version"], answer.error["text"]) == (1, "Szia {name}")
    put(admin, greeting, "Helló {name}", version=1).expect(200)
    put(admin, greeting, "Üdv {name}", version=7).expect(409, "version_conflict")


def test_every_version_is_kept(admin, greeting):
    put(admin, greeting, "Szia {name}")
    put(admin, greeting, "Helló {name}", version=1)
    approve(admin, greeting, version=2)
    path = f"admin/i18n/messages/{greeting}/translations/hu/history"
    versions = admin.get(path).expect(200).body["versions"]
    assert [(one["version"], one["text"], one["state"], one["origin"]) for one in versions] == [
        (3, "Helló {name}", "reviewed", "review"),
        (2, "Helló {name}", "draft", "edit"),
        (1, "Szia {name}", "draft", "edit"),
    ]


# -- reviewing ----------------------------------------------------------------------------------------------------------


def test_a_reviewer_approves_the_work_of_others_not_their_own(translator, admin, greeting, grant, db):
    grant("hu", may_review=True)
    grant("hu", user_id=9)
    put(translator, greeting, "Szia {name}").expect(200)
    approve(translator, greeting).expect(403, "own_translation")
    put(ApiClient(db, {"X-Doorman": "9 translator"}), greeting, "Helló {name}", version=1).expect(200)
    message = approve(translator, greeting, version=2).expect(200).body["message"]
    assert message["translation"]["state"] == "reviewed"
    assert (message["translation"]["author_id"], message["translation"]["reviewer_id"]) == (9, 2)


def test_who_may_only_translate_does_not_approve(translator, admin, greeting, grant):
    grant("hu")
    put(admin, greeting, "Szia {name}")
    approve(translator, greeting).expect(403, "locale_not_granted")
    put(translator, greeting, "Szia {name}", version=1, reviewed=True).expect(403, "own_translation")


def test_a_text_sent_back_is_a_draft_with_a_reason_and_what_was_approved_stays(admin, greeting):
    put(admin, greeting, "Szia {name}", reviewed=True)
    path = f"admin/i18n/messages/{greeting}/translations/hu/return"
    message = admin.post(path, {"translation": {"version": 1, "reason": "too informal"}}).expect(200).body["message"]
    assert message["translation"]["state"] == "draft"
    assert message["translation"]["reviewed_text"] == "Szia {name}"
    comments = admin.get(f"admin/i18n/messages/{greeting}/comments").expect(200).body["comments"]
    assert [(one["locale"], one["body"]) for one in comments] == [("hu", "too informal")]


def test_a_remark_is_settled_but_not_lost(admin, greeting):
    path = f"admin/i18n/messages/{greeting}/comments"
    comment = admin.post(path, {"comment": {"body": "Who says this?"}}).expect(201).body["comments"][0]
    admin.delete(f"{path}/{comment['id']}").expect(204)
    assert admin.get(path).body["comments"][0]["resolved_at"] is not None
    admin.delete(f"{path}/{comment['id'] + 1}").expect(404, "translation_not_found")


def test_many_are_approved_at_once_and_refusals_told_one_by_one(admin, db):
    ids = make_messages(db, {"one": "One", "two": "Two", "three": "Three"}).ids
    translate(db, "hu", {"one": "Egy", "two": "Kettő"}, state=TranslationState.DRAFT)
    seen = [{"message_id": ids[key], "version": version} for key, version in (("one", 1), ("two", 5), ("three", 1))]
    body = {"approval": {"locale": "hu", "translations": seen}}
    answer = admin.post("admin/i18n/translations/approve", body).expect(200).body
    assert answer["written"] == 1
    assert {one["message_id"]: one["error"] for one in answer["refused"]} == {
        ids["two"]: "version_conflict",
        ids["three"]: "translation_not_found",
    }


# -- keys ---------------------------------------------------------------------------------------------------------------


def test_a_key_is_made_changed_and_retired(admin, client):
    admin.post("admin/i18n/namespaces", {"namespace": {"name": "shop", "layout": "flat"}}).expect(201)
    wanted = {"namespace": "shop", "key": "cart.title", "source": "Your {count} things", "description": "Heading"}
    message = admin.post("admin/i18n/messages", {"message": wanted}).expect(201).body["message"]
    assert message["placeholders"] == ["count"]
    path = f"admin/i18n/messages/{message['id']}"
    admin.patch(path, {"message": {"version": 1, "source": "Cart of {count}"}}).expect(200)
    admin.patch(path, {"message": {"version": 1, "source": "Again"}}).expect(409, "version_conflict")
    assert client.get("external/i18n/en/shop").body == {"cart.title": "Cart of {count}"}
    admin.delete(path).expect(204)
    assert client.get("external/i18n/en/shop").body == {}
    admin.delete(path).expect(404, "message_not_found")
    retired = admin.get("admin/i18n/messages?retired=true").expect(200).body["results"]
    assert [one["key"] for one in retired] == ["cart.title"]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"key": "bad\\key"}, "validation_error"),
        ({"key": "greeting"}, "validation_error"),
        ({"source": "{open"}, "invalid_message"),
        ({"namespace": "nowhere"}, "namespace_not_found"),
    ],
)
def test_a_key_that_cannot_be_is_refused(admin, greeting, fields, error):
    wanted = {"namespace": "shop", "key": "fine", "source": "Fine", **fields}
    answer = admin.post("admin/i18n/messages", {"message": wanted})
    assert answer.error["type"] == error


def test_a_namespace_has_one_name(admin):
    admin.post("admin/i18n/namespaces", {"namespace": {"name": "shop"}}).expect(201)
    admin.post("admin/i18n/namespaces", {"namespace": {"name": "shop"}}).expect(422, "validation_error")
    admin.post("admin/i18n/namespaces", {"namespace": {"name": "a/b"}}).expect(422, "validation_error")
    changed = admin.patch("admin/i18n/namespaces/shop", {"namespace": {"layout": "i18next"}}).expect(200)
    assert changed.body["namespace"]["layout"] == "i18next"
    assert [one["name"] for one in admin.get("admin/i18n/namespaces").body["namespaces"]] == ["shop"]


# -- stale texts --------------------------------------------------------------------------------------------------------


def test_a_source_that_says_something_else_makes_its_translations_stale(admin, client, greeting):
    put(admin, greeting, "Szia {name}", reviewed=True)
    path = f"admin/i18n/messages/{greeting}"
    admin.patch(path, {"message": {"version": 1, "source": "Good morning {name}"}}).expect(200)
    stale = admin.get("admin/i18n/messages?locale=hu&state=stale").expect(200).body["results"]
    assert [one["key"] for one in stale] == ["greeting"]
    assert stale[0]["translation"]["reviewed_text"] == "Szia {name}"
    assert approve(admin, greeting, version=2).expect(200).body["message"]["translation"]["state"] == "reviewed"


def test_a_source_that_is_only_spelled_differently_changes_nothing(admin, greeting, db):
    make_messages(db, {"plural": "{count, plural, one {#} other {#}}"})
    message = admin.get("admin/i18n/messages?query=plural").body["results"][0]
    translate(db, "hu", {"plural": "{count, plural, one {#} other {#}}"})
    respelled = {"version": message["version"], "source": "{count,plural,one{#}other{#}}"}
    admin.patch(f"admin/i18n/messages/{message['id']}", {"message": respelled}).expect(200)
    assert admin.get("admin/i18n/messages?locale=hu&state=stale").body["results"] == []


def test_a_stale_text_that_no_longer_fits_its_source_is_not_published_any_more(admin, greeting):
    put(admin, greeting, "Szia {name}", reviewed=True)
    changed = {"version": 1, "source": "Hello {first} {last}"}
    admin.patch(f"admin/i18n/messages/{greeting}", {"message": changed}).expect(200)
    translation = admin.get(f"admin/i18n/messages/{greeting}").body["translations"][0]
    assert (translation["state"], translation["reviewed_text"]) == ("stale", None)
    approve(admin, greeting, version=2).expect(422, "invalid_message")


# -- lists --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", ["cart.empty", "cart.title", "login"]),
        ("namespace=shop", ["cart.empty", "cart.title"]),
        ("query=CART", ["cart.empty", "cart.title"]),
        ("query=kosár", []),
        ("query=kosár&locale=hu", ["cart.title"]),
        ("query=100%25", ["cart.empty"]),
        ("query=_", []),
        ("locale=hu&state=missing", ["cart.empty", "login"]),
        ("locale=hu&state=draft", ["cart.title"]),
        ("locale=hu&state=reviewed", []),
    ],
)
def test_messages_are_searched_and_filtered(admin, db, query, keys):
    make_messages(db, {"cart.title": "Your cart", "cart.empty": "100% nothing"})
    make_messages(db, {"login": "Log in"}, namespace="web")
    translate(db, "hu", {"cart.title": "A kosár"}, state=TranslationState.DRAFT)
    results = admin.get(f"admin/i18n/messages?{query}").expect(200).body["results"]
    assert sorted(one["key"] for one in results) == keys


def test_a_filter_that_cannot_be_is_told(admin):
    admin.get("admin/i18n/messages?state=stale").expect(422, "validation_error")
    admin.get("admin/i18n/messages?state=fine&locale=hu").expect(422, "validation_error")
    admin.get("admin/i18n/messages?locale=tlh").expect(404, "locale_not_found")


def test_a_long_list_takes_as_many_statements_as_a_short_one(admin, db):
    make_messages(db, {"key0": "Text"})
    with count_queries(db) as short:
        admin.get("admin/i18n/messages?locale=hu&per=100").expect(200)
    make_messages(db, {f"key{number}": "Text" for number in range(60)})
    with count_queries(db) as long:
        assert len(admin.get("admin/i18n/messages?locale=hu&per=100").body["results"]) == 60
    assert len(long) == len(short)


def test_completeness_is_counted_by_state(admin, db):
    make_messages(db, {"a": "A", "b": "B", "c": "C", "d": "D"})
    translate(db, "hu", {"a": "Á"})
    translate(db, "hu", {"b": "B"}, state=TranslationState.DRAFT)
    rows = admin.get("admin/i18n/statistics?locale=hu").expect(200).body["completeness"]
    assert rows == [
        {
            "locale": "hu",
            "namespace": "shop",
            "total": 4,
            "percent": 25,
            "missing": 2,
            "machine": 0,
            "draft": 1,
            "reviewed": 1,
            "stale": 0,
        }
    ]


# -- locales ------------------------------------------------------------------------------------------------------------


def test_a_locale_goes_live_only_when_enough_of_it_is_reviewed(admin, db):
    make_messages(db, {"a": "A", "b": "B"})
    translate(db, "de", {"a": "A"})
    answer = admin.patch("admin/i18n/locales/de", {"locale": {"state": "live"}}).expect(422, "locale_incomplete")
    assert (answer.error["percent"], answer.error["required_percent"]) == (50, 95)
    translate(db, "de", {"b": "B"})
    live = admin.patch("admin/i18n/locales/de", {"locale": {"state": "live"}}).expect(200)
    assert live.body["locale"]["state"] == "live"


def test_an_incomplete_locale_may_be_forced_live(admin, db):
    make_messages(db, {"a": "A"})
    admin.patch("admin/i18n/locales/de", {"locale": {"state": "live", "force": True}}).expect(200)


def test_english_stays_live(admin):
    admin.patch("admin/i18n/locales/en", {"locale": {"state": "draft"}}).expect(422, "validation_error")
    admin.patch("admin/i18n/locales/tlh", {"locale": {"state": "draft"}}).expect(404, "locale_not_found")


def test_production_serves_a_locale_once_it_was_promoted(production, committed_db):
    admin = ApiClient(committed_db, {"X-Doorman": "1 admin"})
    client = ApiClient(production)
    client.get("external/i18n/de").expect(404, "locale_not_found")
    admin.patch("admin/i18n/locales/de", {"locale": {"state": "live", "force": True}}).expect(200)
    client.get("external/i18n/de").expect(200)
    admin.patch("admin/i18n/locales/de", {"locale": {"state": "draft"}}).expect(200)
    client.get("external/i18n/de").expect(404, "locale_not_found")


# -- documents ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "i18next", "po", "xliff", "csv"])
def test_what_goes_out_comes_in_unchanged(admin, db, form):
    make_messages(db, {"cart.title": "Your cart, {name}", "a\\.b": "Dots", "n": "{count, plural, one {#} other {#}}"})
    translate(db, "hu", {"cart.title": "Kosarad 🛒, {name}", "n": "{count, plural, one {#} other {#}}"})
    exported = admin.get(f"admin/i18n/exchange/hu/shop?format={form}").expect(200)
    assert "attachment" in exported.headers["Content-Disposition"]
    document = {"format": form, "content": exported.response.get_data(as_text=True)}
    imported = admin.post("admin/i18n/exchange/hu/shop", {"document": document}).expect(200).body["imported"]
    assert {name for name, count in imported["counts"].items() if count} == {"unchanged"}


def test_a_dry_run_tells_and_changes_nothing(admin, db):
    make_messages(db, {"title": "Title"})
    document = {"format": "json", "content": '{"title": "Cím", "more": "Más"}', "dry_run": True}
    imported = admin.post("admin/i18n/exchange/hu/shop", {"document": document}).expect(200).body["imported"]
    assert imported["diff"] == ["? more: no such key", "+ title: 'Cím'"]
    assert admin.get("admin/i18n/messages?locale=hu&state=draft").body["results"] == []


def test_only_what_both_sides_changed_is_a_conflict(admin, db):
    make_messages(db, {"one": "One", "two": "Two"})
    translate(db, "hu", {"one": "Egy", "two": "Kettő"})
    base = admin.get("admin/i18n/exchange/hu/shop").response.get_data(as_text=True)
    translate(db, "hu", {"one": "EGY"})
    document = {"format": "json", "content": '{"one": "egy!", "two": "kettő!"}', "base": base}
    refused = admin.post("admin/i18n/exchange/hu/shop", {"document": document}).expect(200).body["imported"]
    assert refused["is_refused"] is True
    assert refused["counts"]["conflict"] == 1
    ours = {"document": {**document, "policy": "ours"}}
    imported = admin.post("admin/i18n/exchange/hu/shop", ours).expect(200).body["imported"]
    assert (imported["counts"]["updated"], imported["counts"]["kept"]) == (1, 1)


def test_a_file_that_cannot_be_read_is_told_with_its_faults(admin, greeting):
    document = {"document": {"format": "json", "content": '{"a": 1}'}}
    answer = admin.post("admin/i18n/exchange/hu/shop", document).expect(422, "import_refused")
    assert answer.error["faults"] == ["a is a number, not a string or an object"]
    admin.get("admin/i18n/exchange/hu/shop?format=docx").expect(422, "validation_error")


def test_a_message_that_a_format_cannot_say_is_named(admin, db):
    make_messages(db, {"sex": "{sex, select, female {she} other {they}}"})
    translate(db, "hu", {"sex": "{sex, select, female {ő} other {ők}}"})
    answer = admin.get("admin/i18n/exchange/hu/shop?format=i18next").expect(422, "export_refused")
    assert answer.error["faults"][0].startswith("sex:")


# -- machines -----------------------------------------------------------------------------------------------------------


def test_the_offline_engine_copies_with_the_plurals_of_the_locale_and_marks(admin, db):
    make_messages(db, {"n": "{count, plural, one {# thing} other {# things}}", "title": "Title"})
    body = {"translation": {"locale": "ar", "namespace": "shop"}}
    assert admin.post("admin/i18n/translations/machine", body).expect(202).body == {"queued": 2}
    drain_outbox(db)
    rows = admin.get("admin/i18n/messages?locale=ar&state=machine").body["results"]
    assert {row["key"]: row["translation"]["text"] for row in rows}["title"] == "Title"
    plural = next(row["translation"]["text"] for row in rows if row["key"] == "n")
    assert all(f"{category} {{" in plural for category in ("zero", "one", "two", "few", "many", "other"))
    assert admin.post("admin/i18n/translations/machine", body).body == {"queued": 0}
