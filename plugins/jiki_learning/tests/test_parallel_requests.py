"""Twenty requests at once for the same thing: one row, one unlock, one badge, no error (facts 1 and 7 of section 7)."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from jiki_auth.testing import signed_in
from jiki_core.testing import drain_outbox
from jiki_core.testing.pytest_plugin import scaled
from jiki_learning.testing import import_into, make_learner

pytestmark = pytest.mark.timeout(1_200)  # of all rounds, on a slow machine
ROUNDS = scaled(200, least=4)
AT_ONCE = 20
#: as many as a web process serves at a time: its threads are as many as its connections
THREADS = 5
FIRST, SECOND = "welcome-to-coding-fundamentals", "maze-solve-basic"
FILES = {"submission": {"files": [{"filename": "solution.js", "code": "move()"}]}}


@pytest.fixture
def course(committed_db):
    import_into(committed_db)
    return committed_db


def at_once(app, learner, call):
    """The answers to `AT_ONCE` calls, each by a client of its own with the learner's session."""
    clients = [signed_in(app, learner.user) for _ in range(THREADS)]

    def one(number):
        return call(clients[number % THREADS], number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(AT_ONCE)))


def events(answers):
    return Counter(event["data"].get("lesson_slug") for answer in answers for event in answer.body["meta"]["events"])


def statuses(answers):
    return {answer.status for answer in answers}


def test_fact_1_parallel_starts_make_one_row_and_answer_alike(course, count_rows):
    for _ in range(ROUNDS):
        learner = make_learner(course)
        answers = at_once(course, learner, lambda client, _: client.post(f"internal/user_lessons/{FIRST}/start"))
        assert statuses(answers) == {200}, Counter(str(answer.body) for answer in answers)
        assert len({str(answer.body["user_lesson"]) for answer in answers}) == 1
        assert count_rows("user_lessons", user_id=learner.id) == 1


def test_parallel_completions_unlock_once_and_earn_one_badge(course, count_rows):
    for _ in range(ROUNDS):
        learner = make_learner(course)
        answers = at_once(course, learner, lambda client, _: client.patch(f"internal/user_lessons/{FIRST}/complete"))
        assert statuses(answers) == {200}, Counter(str(answer.body) for answer in answers)
        assert events(answers) == {SECOND: 1}
        assert count_rows("user_lessons", user_id=learner.id) == 1
    drain_outbox(course)
    shown = {badge["slug"]: badge for badge in learner.get("badges").body["badges"]}
    assert shown["first_lesson"]["num_awardees"] == ROUNDS
    told = learner.get("notifications").body["results"]
    assert [one["data"].get("slug") for one in told].count("first_lesson") == 1


def test_parallel_submissions_are_stored_once(course, count_rows):
    for _ in range(ROUNDS):
        learner = make_learner(course)
        learner.complete(FIRST).expect(200)
        before = count_rows("exercise_submissions")
        path = f"internal/lessons/{SECOND}/exercise_submissions"
        answers = at_once(course, learner, lambda client, _, path=path: client.post(path, FILES))
        assert statuses(answers) == {201}, Counter(str(answer.body) for answer in answers)
        assert count_rows("exercise_submissions") == before + 1
        assert count_rows("user_lessons", user_id=learner.id) == 2


def test_parallel_enrolments_open_the_first_lesson_once(committed_db, count_rows):
    for _ in range(ROUNDS):
        learner = make_learner(committed_db)
        if not count_rows("courses"):
            from jiki_learning.content.bundled import bundled_course_path
            from jiki_learning.content.jiki_format import read_jiki_course

            import_into(committed_db, read_jiki_course(bundled_course_path(), "not-the-default"))
        path = "internal/user_courses/not-the-default/enroll"
        answers = at_once(committed_db, learner, lambda client, _, path=path: client.post(path))
        assert statuses(answers) == {200}
        assert events(answers) == {FIRST: 1}
        assert count_rows("user_courses", user_id=learner.id) == 1


def mixed(client, number):
    """One of the four things that a lesson's page does."""
    if number % 4 == 0:
        return client.post(f"internal/lessons/{FIRST}/exercise_submissions", FILES)
    if number % 4 == 1:
        return client.post(f"internal/user_lessons/{FIRST}/start")
    if number % 4 == 2:
        return client.patch(f"internal/user_lessons/{FIRST}/complete")
    return client.patch(f"internal/user_lessons/{FIRST}/walkthrough_video_percentage", {"percentage": number})


def test_starts_completions_and_submissions_mixed_deadlock_nobody(course):
    for _ in range(ROUNDS):
        learner = make_learner(course)
        learner.start(FIRST).expect(200)
        answers = at_once(course, learner, mixed)
        assert statuses(answers) == {200, 201}, Counter(str(answer.body) for answer in answers)
        assert events(answers) == {SECOND: 1}
