"""The editor's routes (contract.md 2.6)."""

from __future__ import annotations

import pytest

from jiki_auth.testing import make_user, signed_in
from jiki_core.testing import count_queries, drain_outbox
from jiki_learning.content.course import LessonType
from jiki_learning.testing import VIDEO, course, import_into, import_levels, lesson, level, make_learner

COURSE = "course_slug=coding-fundamentals"


@pytest.fixture
def admin(db):
    import_levels(db, (2, 1))
    return signed_in(db, make_user(db, is_admin=True))


def levels_of(admin):
    return {row["slug"]: row for row in admin.get(f"admin/levels?{COURSE}").expect(200).body["results"]}


def lessons_of(admin, level_id):
    return [row["slug"] for row in admin.get(f"admin/levels/{level_id}/lessons").expect(200).body["lessons"]]


ROUTES = [
    ("GET", "levels?course_slug=coding-fundamentals"),
    ("POST", "levels?course_slug=coding-fundamentals"),
    ("PATCH", "levels/1?course_slug=coding-fundamentals"),
    ("GET", "levels/1/lessons"),
    ("POST", "levels/1/lessons"),
    ("PATCH", "levels/1/lessons/1"),
    ("POST", "levels/1/translations/translate"),
    ("GET", "concepts"),
    ("POST", "concepts"),
    ("GET", "concepts/1"),
    ("PATCH", "concepts/1"),
    ("DELETE", "concepts/1"),
    ("GET", "challenges"),
    ("POST", "challenges"),
    ("GET", "challenges/1"),
    ("PATCH", "challenges/1"),
    ("DELETE", "challenges/1"),
    ("POST", "seeds"),
    ("GET", "analytics/exercises"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_only_admins_edit(db, client, method, path):
    client.call(method, f"admin/{path}").expect(401, "unauthenticated")
    refused = make_learner(db).client.call(method, f"admin/{path}").expect(403, "forbidden")
    assert "meta" not in refused.body


def test_levels_are_listed_in_order_with_paging_and_without_events(admin):
    body = admin.get(f"admin/levels?{COURSE}").expect(200).body
    assert [(row["slug"], row["position"]) for row in body["results"]] == [("level-1", 1), ("level-2", 2)]
    assert body["meta"] == {"current_page": 1, "total_count": 2, "total_pages": 1}
    assert [row["slug"] for row in admin.get(f"admin/levels?{COURSE}&slug=-2").body["results"]] == ["level-2"]
    assert admin.get(f"admin/levels?{COURSE}&slug=%25").body["results"] == []
    admin.get("admin/levels").expect(400, "missing_course")
    admin.get("admin/levels?course_slug=nowhere").expect(404, "course_not_found")


def test_a_level_is_created_at_the_end_or_at_its_position(admin):
    last = admin.post(f"admin/levels?{COURSE}", {"level": {"slug": "last"}}).expect(201).body["level"]
    assert (last["slug"], last["position"]) == ("last", 3)
    first = {"slug": "first", "position": 1, "milestone_email_subject": "Yes", "milestone_email_content_markdown": "*"}
    admin.post(f"admin/levels?{COURSE}", {"level": first}).expect(201)
    assert list(levels_of(admin)) == ["first", "level-1", "level-2", "last"]
    assert levels_of(admin)["first"]["milestone_email_subject"] == "Yes"
    admin.post("admin/levels", {"level": {"slug": "x"}}).expect(400, "missing_course")
    admin.post("admin/levels?course_slug=nowhere", {"level": {"slug": "x"}}).expect(404, "course_not_found")


@pytest.mark.parametrize(
    ("values", "errors"),
    [
        ({}, {"slug": [{"error": "blank"}]}),
        ({"slug": ""}, {"slug": [{"error": "blank"}]}),
        ({"slug": "Not A Slug"}, {"slug": [{"error": "invalid"}]}),
        ({"slug": "x" * 101}, {"slug": [{"error": "too_long", "count": 100}]}),
        ({"slug": "level-2"}, {"slug": [{"error": "taken"}]}),
        ({"slug": "x", "position": 0}, {"position": [{"error": "inclusion"}]}),
        ({"slug": "x", "position": "1"}, {"position": [{"error": "invalid"}]}),
        ({"slug": "x", "more": 1}, {"more": [{"error": "unknown_field"}]}),
    ],
)
def test_a_levels_faults_are_told_by_field(admin, values, errors):
    answer = admin.post(f"admin/levels?{COURSE}", {"level": values}).expect(422, "validation_error")
    assert answer.error["errors"] == errors


def test_a_level_is_renamed_and_moved_among_the_others(admin):
    level_id = levels_of(admin)["level-2"]["id"]
    path = f"admin/levels/{level_id}?{COURSE}"
    moved = admin.patch(path, {"level": {"position": 1, "slug": "renamed"}}).expect(200).body["level"]
    assert (moved["slug"], moved["position"]) == ("renamed", 1)
    assert list(levels_of(admin)) == ["renamed", "level-1"]
    admin.patch(path, {"level": {"position": 99}}).expect(200)
    assert list(levels_of(admin)) == ["level-1", "renamed"]
    admin.patch(path, {"level": {"slug": "renamed"}}).expect(200)
    admin.patch(path, {"level": {"slug": "level-1"}}).expect(422, "validation_error")


@pytest.mark.parametrize("level_id", ["0", "999999", "99999999999999999999", "x"])
def test_an_unknown_level_is_not_found(admin, level_id):
    admin.patch(f"admin/levels/{level_id}?{COURSE}", {"level": {"slug": "x"}}).expect(404, "level_not_found")
    admin.get(f"admin/levels/{level_id}/lessons").expect(404, "level_not_found")
    lesson_body = {"lesson": {"slug": "x", "type": "exercise"}}
    admin.post(f"admin/levels/{level_id}/lessons", lesson_body).expect(404, "level_not_found")
    admin.patch(f"admin/levels/{level_id}/lessons/1", {"lesson": {}}).expect(404, "level_not_found")
    admin.post(f"admin/levels/{level_id}/translations/translate").expect(404, "level_not_found")


def test_a_lesson_is_created_changed_and_shown_to_learners(db, admin):
    level_id = levels_of(admin)["level-1"]["id"]
    video = {"slug": "intro", "type": "video", "position": 1, "data": {"sources": [dict(VIDEO)]}}
    made = admin.post(f"admin/levels/{level_id}/lessons", {"lesson": video}).expect(201).body["lesson"]
    assert (made["slug"], made["type"], made["position"], made["data"]) == ("intro", "video", 1, video["data"])
    assert lessons_of(admin, level_id) == ["intro", "lesson-1-1", "lesson-1-2"]
    learner = make_learner(db)
    assert learner.user_levels()["level-1"][1] == {"intro": "not_started"}
    path = f"admin/levels/{level_id}/lessons/{made['id']}"
    changed = (
        admin.patch(path, {"lesson": {"slug": "hello", "optional": True, "position": 3}}).expect(200).body["lesson"]
    )
    assert (changed["slug"], changed["optional"], changed["position"]) == ("hello", True, 3)
    assert learner.user_levels()["level-1"][1] == {"lesson-1-1": "not_started"}


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"type": "exercise"}, "slug", "blank"),
        ({"slug": "x"}, "type", "blank"),
        ({"slug": "x", "type": "game"}, "type", "inclusion"),
        ({"slug": "lesson-2-1", "type": "exercise"}, "slug", "taken"),
        ({"slug": "x", "type": "video"}, "data", "invalid"),
        ({"slug": "x", "type": "video", "data": {"sources": []}}, "data.sources", "invalid"),
        ({"slug": "x", "type": "exercise", "data": {"a": 1}}, "data", "invalid"),
        (
            {"slug": "x", "type": "video", "data": {"sources": [{**VIDEO, "provider": "vhs"}]}},
            "data.sources.0.provider",
            "invalid",
        ),
        (
            {"slug": "x", "type": "exercise", "walkthrough_video_data": [{"provider": "mux"}]},
            "walkthrough_video_data.0.id",
            "invalid",
        ),
    ],
)
def test_a_lessons_faults_are_told_by_field(admin, values, field, code):
    level_id = levels_of(admin)["level-1"]["id"]
    answer = admin.post(f"admin/levels/{level_id}/lessons", {"lesson": values}).expect(422, "validation_error")
    assert answer.error["errors"][field][0]["error"] == code


def test_a_lesson_is_moved_to_another_level_of_its_course(db, admin):
    levels = {slug: row["id"] for slug, row in levels_of(admin).items()}
    first = admin.get(f"admin/levels/{levels['level-1']}/lessons").body["lessons"][0]
    learner = make_learner(db)
    learner.complete("lesson-1-1")
    path = f"admin/levels/{levels['level-1']}/lessons/{first['id']}"
    admin.patch(path, {"lesson": {"level_id": levels["level-2"], "position": 1}}).expect(200)
    assert lessons_of(admin, levels["level-2"]) == ["lesson-1-1", "lesson-2-1"]
    assert learner.unlocked("lesson-1-2") == [{"type": "lesson_unlocked", "data": {"lesson_slug": "lesson-2-1"}}]
    import_into(db, course(level("other", "other-1"), slug="another-course"))
    other = admin.get("admin/levels?course_slug=another-course").body["results"][0]["id"]
    path = f"admin/levels/{levels['level-2']}/lessons/{first['id']}"
    refused = admin.patch(path, {"lesson": {"level_id": other}}).expect(422, "validation_error")
    assert refused.error["errors"] == {"level_id": [{"error": "inclusion"}]}


def test_an_edit_catches_up_with_learners_by_a_job(db, admin, count_rows):
    learner = make_learner(db)
    learner.complete("lesson-1-1")
    levels = {slug: row["id"] for slug, row in levels_of(admin).items()}
    last = admin.get(f"admin/levels/{levels['level-1']}/lessons").body["lessons"][1]
    path = f"admin/levels/{levels['level-1']}/lessons/{last['id']}"
    admin.patch(path, {"lesson": {"level_id": levels["level-2"]}}).expect(200)
    assert count_rows("user_levels", user_id=learner.id) == 1
    drain_outbox(db)
    assert count_rows("user_levels", user_id=learner.id) == 2


def test_a_lesson_of_another_level_is_not_found(admin):
    levels = {slug: row["id"] for slug, row in levels_of(admin).items()}
    other = admin.get(f"admin/levels/{levels['level-2']}/lessons").body["lessons"][0]["id"]
    path = f"admin/levels/{levels['level-1']}/lessons"
    admin.patch(f"{path}/{other}", {"lesson": {"slug": "x"}}).expect(404, "lesson_not_found")
    admin.patch(f"{path}/x", {"lesson": {"slug": "x"}}).expect(404, "lesson_not_found")


def test_concepts_are_created_renamed_and_deleted(db, admin):
    made = admin.post("admin/concepts", {"concept": {"slug": "loops"}}).expect(201).body["concept"]
    assert made == {"id": made["id"], "slug": "loops", "video_data": None}
    path = f"admin/concepts/{made['id']}"
    assert admin.get(path).expect(200).body["concept"] == made
    assert admin.patch(path, {"concept": {"slug": "repetition"}}).expect(200).body["concept"]["slug"] == "repetition"
    assert admin.get("external/concepts/loops").expect(200).body["concept"]["slug"] == "repetition"
    listed = admin.get("admin/concepts?query=REP").expect(200).body
    assert [row["slug"] for row in listed["results"]] == ["repetition"]
    admin.post("admin/concepts", {"concept": {"slug": "repetition"}}).expect(422, "validation_error")
    admin.delete(path).expect(204)
    for call in (admin.get, admin.delete):
        call(path).expect(404, "concept_not_found")
    admin.patch(path, {"concept": {"slug": "x"}}).expect(404, "concept_not_found")
    admin.get("external/concepts/loops").expect(404, "concept_not_found")


def test_a_new_concept_may_take_the_former_slug_of_another(admin):
    loops = admin.post("admin/concepts", {"concept": {"slug": "loops"}}).body["concept"]
    admin.patch(f"admin/concepts/{loops['id']}", {"concept": {"slug": "repetition"}}).expect(200)
    admin.post("admin/concepts", {"concept": {"slug": "loops"}}).expect(201)
    assert admin.get("external/concepts/loops").body["concept"]["slug"] == "loops"


def test_a_concept_shows_the_videos_of_the_lesson_that_unlocks_it_and_learners_get_what_they_earned(db, admin):
    import_into(db, course(level("a", lesson("intro", LessonType.VIDEO), "a-2"), slug="videos"))
    learner = make_learner(db)
    learner.client.post("internal/user_courses/videos/enroll")
    learner.complete("intro").expect(200)
    level_id = admin.get("admin/levels?course_slug=videos").body["results"][0]["id"]
    lesson_id = admin.get(f"admin/levels/{level_id}/lessons").body["lessons"][0]["id"]
    values = {"slug": "watching", "unlocked_by_lesson_id": lesson_id}
    made = admin.post("admin/concepts", {"concept": values}).expect(201).body["concept"]
    assert made["video_data"] == [dict(VIDEO)]
    assert learner.get("concepts/unlocked").body["unlocked_slugs"] == ["watching"]
    refused = admin.post("admin/concepts", {"concept": {"slug": "x", "unlocked_by_lesson_id": 999_999}})
    assert refused.expect(422).error["errors"] == {"unlocked_by_lesson_id": [{"error": "inclusion"}]}


def test_challenges_are_created_locked_behind_a_lesson_and_deleted(db, admin):
    level_id = levels_of(admin)["level-1"]["id"]
    lesson_id = admin.get(f"admin/levels/{level_id}/lessons").body["lessons"][0]["id"]
    values = {"slug": "zoo", "exercise_slug": "zoo-exercise", "unlocked_by_lesson_id": lesson_id}
    made = admin.post("admin/challenges", {"challenge": values}).expect(201).body["challenge"]
    assert made == {"id": made["id"], "slug": "zoo", "exercise_slug": "zoo-exercise"}
    learner = make_learner(db)

    def status():
        return learner.get("challenges").body["results"][0]["status"]

    assert status() == "locked"
    path = f"admin/challenges/{made['id']}"
    admin.patch(path, {"challenge": {"unlocked_by_lesson_id": None, "exercise_slug": "other"}}).expect(200)
    assert status() == "unlocked"
    assert admin.get(path).expect(200).body["challenge"]["exercise_slug"] == "other"
    assert [row["slug"] for row in admin.get("admin/challenges?query=z").body["results"]] == ["zoo"]
    admin.patch(path, {"challenge": {"exercise_slug": "No Slug"}}).expect(422, "validation_error")
    admin.delete(path).expect(204)
    for call in (admin.get, admin.delete):
        call(path).expect(404, "challenge_not_found")
    admin.patch(path, {"challenge": {"slug": "x"}}).expect(404, "challenge_not_found")


def test_translations_are_asked_for_in_every_language_but_english(db, admin):
    level_id = levels_of(admin)["level-1"]["id"]
    body = admin.post(f"admin/levels/{level_id}/translations/translate").expect(202).body
    assert body["level_slug"] == "level-1"
    assert "en" not in body["queued_locales"]
    assert len(body["queued_locales"]) == len(set(body["queued_locales"])) > 0
    drain_outbox(db)


def test_seeds_bring_the_bundled_course_in_and_change_nothing_the_second_time(db):
    admin = signed_in(db, make_user(db, is_admin=True))
    for _ in range(2):
        assert admin.post("admin/seeds").expect(200).body == {"success": True}
    assert list(levels_of(admin)) == ["using-functions", "repeating-and-remembering", "making-decisions"]


@pytest.mark.parametrize("path", ["concepts", "challenges", f"levels?{COURSE}"])
def test_lists_cost_the_same_for_one_and_for_fifty(db, admin, path):
    def cost():
        for _ in range(2):
            admin.get(f"admin/{path}").expect(200)
        with count_queries(db) as log:
            admin.get(f"admin/{path}").expect(200)
        return len(log)

    names = {f"name-{n}": None for n in range(50)}
    few = cost()
    import_levels(db, [1] * 50)
    import_into(db, course(*(level(f"l-{n}", f"m-{n}") for n in range(50)), concepts=names, challenges=names))
    assert cost() == few <= 2
