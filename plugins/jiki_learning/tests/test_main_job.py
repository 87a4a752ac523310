"""The main job of a learner over HTTP: enrolled by sign-up, start, submit, complete, unlock, badge."""

from __future__ import annotations

from jiki_auth.testing import make_user, signed_in
from jiki_core.testing import drain_outbox
from jiki_learning.testing import import_into

COURSE = "coding-fundamentals"
FIRST, SECOND, THIRD = "welcome-to-coding-fundamentals", "maze-solve-basic", "using-functions"


def test_a_learner_goes_through_the_first_lessons(db):
    import_into(db)
    client = signed_in(db)

    levels = client.get(f"internal/levels?course_slug={COURSE}").expect(200).body["levels"]
    assert levels[0]["lessons"][0] == {"slug": FIRST, "type": "video", "walkthrough_video_data": None}

    mine = client.get(f"internal/user_levels?course_slug={COURSE}").expect(200).body["user_levels"]
    assert mine == [
        {
            "level_slug": "using-functions",
            "status": "started",
            "user_lessons": [
                {"lesson_slug": FIRST, "status": "not_started", "walkthrough_video_watched_percentage": None}
            ],
        }
    ]

    started = client.post(f"internal/user_lessons/{FIRST}/start").expect(200).body
    assert started["user_lesson"] == {
        "lesson_slug": FIRST,
        "status": "started",
        "difficulty_rating": None,
        "fun_rating": None,
        "walkthrough_video_watched_percentage": None,
        "conversation": [],
        "conversation_allowed": True,
        "data": {},
    }
    done = client.patch(f"internal/user_lessons/{FIRST}/complete").expect(200)
    assert done.body == {"meta": {"events": [{"type": "lesson_unlocked", "data": {"lesson_slug": SECOND}}]}}

    files = [{"filename": "solution.js", "code": "move()\n"}]
    handed_in = client.post(f"internal/lessons/{SECOND}/exercise_submissions", {"submission": {"files": files}})
    assert handed_in.expect(201).body == {"meta": {"events": []}}
    latest = client.get(f"internal/lessons/{SECOND}/exercise_submissions/latest").expect(200).body["submission"]
    assert latest["files"] == [{"filename": "solution.js", "content": "move()\n"}]
    shown = client.get(f"internal/user_lessons/{SECOND}").expect(200).body["user_lesson"]
    assert shown["data"]["last_submission"]["uuid"] == latest["uuid"]

    done = client.patch(f"internal/user_lessons/{SECOND}/complete").expect(200)
    assert done.body["meta"]["events"] == [{"type": "lesson_unlocked", "data": {"lesson_slug": THIRD}}]


def test_completing_tells_the_learner_and_earns_the_badge_once(db):
    import_into(db)
    client = signed_in(db, make_user(db))
    drain_outbox(db)
    client.patch(f"internal/user_lessons/{FIRST}/complete").expect(200)
    client.patch(f"internal/user_lessons/{SECOND}/complete").expect(200)
    drain_outbox(db)
    told = client.get("internal/notifications").expect(200).body["results"]
    assert [one["data"]["slug"] for one in told if one["type"] == "learning.badge_awarded"].count("first_lesson") == 1
    unlocked = [one["data"]["lesson_slug"] for one in told if one["type"] == "learning.lesson_unlocked"]
    assert unlocked == [THIRD, SECOND]
