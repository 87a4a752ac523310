"""The main screens: `levels` and `user_levels` (contract.md 2.5, 3.7; performance.md)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jiki_core.testing import count_queries
from jiki_learning.testing import course, import_into, import_levels, lesson, level, make_learner

LEVELS = "levels?course_slug=coding-fundamentals"
USER_LEVELS = "user_levels?course_slug=coding-fundamentals"
WALKTHROUGH = [{"provider": "mux", "id": "w"}]


@pytest.mark.parametrize("path", ["levels", "user_levels"])
def test_the_course_must_be_named(learner, path):
    learner.get(path).expect(400, "missing_course")
    learner.get(f"{path}?course_slug=").expect(400, "missing_course")
    learner.get(f"{path}?course_slug=nowhere").expect(404, "course_not_found")


def test_levels_list_lessons_in_order_and_say_which_are_optional(db):
    extra = lesson("extra", is_optional=True, walkthrough_video_data=WALKTHROUGH)
    import_into(db, course(level("a", "a-1", extra), level("b", "b-1")))
    learner = make_learner(db)
    assert learner.get(LEVELS).expect(200).body == {
        "levels": [
            {
                "slug": "a",
                "lessons": [
                    {"slug": "a-1", "type": "exercise", "walkthrough_video_data": None},
                    {"slug": "extra", "type": "exercise", "walkthrough_video_data": WALKTHROUGH, "optional": True},
                ],
            },
            {"slug": "b", "lessons": [{"slug": "b-1", "type": "exercise", "walkthrough_video_data": None}]},
        ],
        "meta": {"events": []},
    }


def test_user_levels_show_what_is_done_and_the_one_lesson_that_is_next(learner):
    assert learner.user_levels() == {"level-1": ("started", {"lesson-1-1": "not_started"})}
    learner.start("lesson-1-1").expect(200)
    assert learner.user_levels() == {"level-1": ("started", {"lesson-1-1": "started"})}
    learner.complete("lesson-1-1").expect(200)
    assert learner.user_levels() == {"level-1": ("started", {"lesson-1-1": "completed", "lesson-1-2": "not_started"})}
    for slug in ("lesson-1-2", "lesson-1-3"):
        learner.complete(slug).expect(200)
    assert learner.user_levels() == {
        "level-1": ("completed", {"lesson-1-1": "completed", "lesson-1-2": "completed", "lesson-1-3": "completed"}),
        "level-2": ("started", {"lesson-2-1": "not_started"}),
    }


def test_user_levels_have_the_shape_of_the_contract(learner):
    learner.start("lesson-1-1")
    learner.client.patch("internal/user_lessons/lesson-1-1/walkthrough_video_percentage", {"percentage": 40})
    assert learner.get(USER_LEVELS).expect(200).body == {
        "user_levels": [
            {
                "level_slug": "level-1",
                "status": "started",
                "user_lessons": [
                    {"lesson_slug": "lesson-1-1", "status": "started", "walkthrough_video_watched_percentage": 40}
                ],
            }
        ],
        "meta": {"events": []},
    }


def test_somebody_who_is_not_enrolled_has_reached_nothing(db):
    import_into(db, course(level("b", "b-1"), slug="another-course"))
    assert make_learner(db).user_levels("another-course") == {}


def test_an_optional_lesson_is_listed_once_it_is_started(db):
    import_into(db, course(level("a", "a-1", lesson("extra", is_optional=True), "a-2")))
    learner = make_learner(db)
    learner.complete("a-1").expect(200)
    assert learner.user_levels()["a"][1] == {"a-1": "completed", "a-2": "not_started"}
    learner.start("extra").expect(200)
    assert learner.user_levels()["a"][1] == {"a-1": "completed", "extra": "started", "a-2": "not_started"}


def test_warm_levels_need_no_query_and_user_levels_at_most_two(db):
    import_levels(db, (50, 50, 50, 50))
    learner = make_learner(db)
    for path in (LEVELS, USER_LEVELS):
        learner.get(path).expect(200)
    with count_queries(db) as levels:
        learner.get(LEVELS).expect(200)
    with count_queries(db) as user_levels:
        learner.get(USER_LEVELS).expect(200)
    assert len(levels) == 0, levels.statements
    assert len(user_levels) <= 2, user_levels.statements


@pytest.mark.parametrize("path", [LEVELS, USER_LEVELS])
def test_what_has_not_changed_is_not_sent_again(learner, path):
    first = learner.get(path).expect(200)
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = learner.client.get(f"internal/{path}", headers={"If-None-Match": tag}).expect(304)
    assert again.headers["ETag"] == tag
    assert again.headers["Cache-Control"] == "private, no-cache"


def test_a_304_of_user_levels_costs_one_query(db, learner):
    learner.get(USER_LEVELS)
    tag = learner.get(USER_LEVELS).headers["ETag"]
    with count_queries(db) as log:
        learner.client.get(f"internal/{USER_LEVELS}", headers={"If-None-Match": tag}).expect(304)
    assert len(log) == 1, log.statements


def test_the_tag_of_user_levels_changes_with_every_act_that_shows(learner):
    def tag():
        return learner.get(USER_LEVELS).headers["ETag"]

    seen = [tag()]
    percentage = "internal/user_lessons/lesson-1-1/walkthrough_video_percentage"
    for act in (
        lambda: learner.start("lesson-1-1"),
        lambda: learner.client.patch(percentage, {"percentage": 10}),
        lambda: learner.complete("lesson-1-1"),
    ):
        act().expect(200)
        seen.append(tag())
    assert len(set(seen)) == len(seen)


def test_the_tag_of_user_levels_is_nobody_elses(db, learner):
    other = make_learner(db)
    tag = learner.get(USER_LEVELS).headers["ETag"]
    other.client.get(f"internal/{USER_LEVELS}", headers={"If-None-Match": tag}).expect(200)


def test_a_change_of_the_content_shows_at_once_in_this_process(db, learner):
    tag = learner.get(LEVELS).headers["ETag"]
    content = import_levels(db, (3, 2, 1, 2))
    slugs = [one["slug"] for one in learner.get(LEVELS).body["levels"]]
    assert slugs == ["level-1", "level-2", "level-3", "level-4"]
    import_into(db, replace(content, levels=content.levels[::-1]))
    assert [one["slug"] for one in learner.get(LEVELS).body["levels"]] == slugs[::-1]
    learner.client.get(f"internal/{LEVELS}", headers={"If-None-Match": tag}).expect(200)
