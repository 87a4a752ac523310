"""Concepts (contract.md 2.4, 2.5 and fact 10 of section 7)."""

from __future__ import annotations

import pytest

from jiki_core.http.rate_limits import class_of
from jiki_core.runtime import runtime_of
from jiki_core.testing import ApiClient
from jiki_learning.content.course import LessonType
from jiki_learning.testing import VIDEO, course, import_into, lesson, level, make_learner, uuid_of, warm_cost


@pytest.fixture
def learner(db):
    levels = level("a", lesson("a-1", LessonType.VIDEO), "a-2")
    import_into(db, course(levels, concepts={"loops": "a-2", "arrays": "a-1", "maps": None, "apes": "a-2"}))
    return make_learner(db)


def rows(answer):
    return [(row["slug"], row["user_may_access"]) for row in answer.expect(200).body["results"]]


def test_concepts_are_listed_unlocked_ones_first(learner):
    learner.complete("a-1")
    answer = learner.get("concepts")
    assert rows(answer) == [("arrays", True), ("apes", False), ("loops", False), ("maps", False)]
    assert answer.body["meta"] == {
        "current_page": 1,
        "total_count": 4,
        "total_pages": 1,
        "unlocked_count": 1,
        "events": [],
    }


def test_the_list_is_narrowed_by_part_of_a_slug_by_slugs_and_by_pages(learner):
    assert rows(learner.get("concepts?query=AP")) == [("apes", False), ("maps", False)]
    assert rows(learner.get("concepts?slugs=loops,maps,unknown")) == [("loops", False), ("maps", False)]
    assert rows(learner.get("concepts?per=1&page=2")) == [("arrays", False)]
    assert rows(learner.get("concepts?per=1&page=99")) == []


def test_a_page_of_more_than_a_hundred_is_refused(learner):
    learner.get("concepts?per=101").expect(422, "validation_error")
    ApiClient(learner.client._app).get("external/concepts?per=101").expect(422, "validation_error")


def test_unlocked_slugs_are_listed(learner):
    assert learner.get("concepts/unlocked").expect(200).body["unlocked_slugs"] == []
    learner.complete("a-1")
    learner.complete("a-2")
    assert learner.get("concepts/unlocked").body["unlocked_slugs"] == ["apes", "arrays", "loops"]


def test_fact_10_a_locked_concept_is_refused_and_an_unlocked_one_shows_the_lessons_videos(learner):
    learner.get("concepts/arrays").expect(403, "concept_locked")
    learner.get("concepts/nowhere").expect(404, "concept_not_found")
    learner.complete("a-1")
    learner.complete("a-2")
    assert learner.get("concepts/arrays").expect(200).body["concept"] == {"slug": "arrays", "video_data": [dict(VIDEO)]}
    assert learner.get("concepts/loops").expect(200).body["concept"] == {"slug": "loops", "video_data": None}


def test_fact_10_a_former_slug_goes_on_finding_its_concept(db):
    import_into(db, course(level("a", "a-1"), concepts={"loops": "a-1"}))
    learner = make_learner(db)
    learner.complete("a-1")
    from dataclasses import replace

    renamed = course(level("a", "a-1"), concepts={"repetition": "a-1"})
    kept_uuid = replace(renamed, concepts=(replace(renamed.concepts[0], uuid=uuid_of("concept loops")),))
    import_into(db, kept_uuid)
    assert learner.get("concepts/loops").expect(200).body["concept"]["slug"] == "repetition"
    assert ApiClient(db).get("external/concepts/loops").expect(200).body["concept"]["slug"] == "repetition"


def test_everybody_may_see_all_concepts_outside(db, learner):
    stranger = ApiClient(db)
    assert [slug for slug, may in rows(stranger.get("external/concepts?query=a")) if may] == ["apes", "arrays", "maps"]
    assert stranger.get("external/concepts/arrays").expect(200).body["concept"]["video_data"] == [dict(VIDEO)]
    stranger.get("external/concepts/nowhere").expect(404, "concept_not_found")


def test_outside_answers_may_be_kept_by_anybody(db, learner):
    headers = ApiClient(db).get("external/concepts/arrays").expect(200).headers
    assert headers["Cache-Control"] == "public, max-age=60, stale-while-revalidate=600"
    assert headers["ETag"]


def test_the_web_clients_server_is_never_limited_when_it_asks_for_its_visitors(db, learner):
    endpoint = "learning_external_concepts.external_show"
    view, mounted = db.view_functions[endpoint], runtime_of(db).mounted[endpoint]
    assert class_of(mounted, "GET", None, view) == "unlimited"


def test_one_or_fifty_concepts_cost_the_same(db, learner):
    few = [warm_cost(db, learner, path) for path in ("concepts", "concepts/unlocked")]
    content = course(level("a", "a-1"), concepts={f"concept-{n}": "a-1" for n in range(50)})
    import_into(db, content)
    learner.complete("a-1")
    assert [warm_cost(db, learner, path) for path in ("concepts?per=100", "concepts/unlocked")] == few
    assert max(few) <= 1
