"""Submissions (contract.md 3.8 and facts 7 and 8 of its section 7)."""

from __future__ import annotations

import pytest

from jiki_core.testing import count_queries
from jiki_learning.testing import course, import_into, level, make_learner, warm

PATH = "internal/lessons/lesson-1-1/exercise_submissions"


def submit(learner, files, path=PATH):
    return learner.client.post(path, {"submission": {"files": files}})


def file(name="a.js", code="x"):
    return {"filename": name, "code": code}


def test_a_submission_starts_the_lesson_and_is_the_latest(learner):
    assert submit(learner, [file("b.js", "2"), file("a.js", "1")]).expect(201).body == {"meta": {"events": []}}
    latest = learner.get("lessons/lesson-1-1/exercise_submissions/latest").expect(200).body["submission"]
    assert latest["files"] == [{"filename": "a.js", "content": "1"}, {"filename": "b.js", "content": "2"}]
    assert (latest["context_type"], latest["context_slug"]) == ("UserLesson", "lesson-1-1")
    shown = learner.get("user_lessons/lesson-1-1").body["user_lesson"]
    assert shown["data"]["last_submission"] == {name: latest[name] for name in ("uuid", "files", "stored_at")}


def test_fact_7_a_repeat_of_the_latest_is_accepted_and_not_stored(learner, count_rows):
    for _ in range(3):
        submit(learner, [file("a.js", "1"), file("b.js", "2")]).expect(201)
    submit(learner, [file("b.js", "2"), file("a.js", "1")]).expect(201)
    assert count_rows("exercise_submissions") == 1
    submit(learner, [file("a.js", "2")]).expect(201)
    submit(learner, [file("a.js", "1"), file("b.js", "2")]).expect(201)
    assert count_rows("exercise_submissions") == 3


def test_the_same_text_is_kept_once(db, learner, count_rows):
    other = make_learner(db)
    for somebody in (learner, other):
        submit(somebody, [file("a.js", "same"), file("b.js", "same")]).expect(201)
    assert count_rows("file_texts") == 1
    assert count_rows("submission_files") == 4


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ([], {"type": "invalid_submission", "reason": "no_files"}),
        (None, {"type": "invalid_submission", "reason": "no_files"}),
        ([file(f"{n}.js") for n in range(21)], {"type": "too_many_files", "count": 21, "max": 20}),
        ([file("a.js"), file("a.js")], {"type": "duplicate_filename", "filenames": ["a.js"]}),
        ([file("a.js", "x" * 100_001)], {"type": "file_too_large", "filename": "a.js", "max_bytes": 100_000}),
        ([file("a.js", "é" * 50_001)], {"type": "file_too_large", "filename": "a.js", "max_bytes": 100_000}),
        ([file("a.js", None)], {"type": "invalid_submission", "reason": "code_required"}),
        ([{"filename": "a.js"}], {"type": "invalid_submission", "reason": "code_required"}),
        ([file("")], {"type": "invalid_submission", "reason": "filename_required"}),
        ([file("  ")], {"type": "invalid_submission", "reason": "filename_required"}),
        ([file(None)], {"type": "invalid_submission", "reason": "filename_required"}),
    ],
)
def test_fact_8_what_cannot_be_stored_is_refused_by_name(learner, count_rows, files, error):
    assert submit(learner, files).expect(422).error == error
    assert count_rows("user_lessons", user_id=learner.id) == 0


def test_exactly_the_limits_are_accepted(learner):
    submit(learner, [file(f"{n}.js", "x" * 100_000) for n in range(20)]).expect(201)


@pytest.mark.parametrize("body", [{}, {"submission": None}])
def test_a_body_without_a_submission_cannot_be_read(learner, body):
    learner.client.post(PATH, body).expect(400, "bad_request")


@pytest.mark.parametrize(
    ("submission", "field"),
    [
        ("text", "submission"),
        ({"files": "text"}, "submission.files"),
        ({"files": [3]}, "submission.files.0"),
        ({"files": [{"filename": 3, "code": "x"}]}, "submission.files.0.filename"),
        ({"files": [{"filename": "a", "code": 3}]}, "submission.files.0.code"),
        ({"files": [file()], "passed": "yes"}, "submission.passed"),
        ({"files": [file()], "more": 1}, "submission.more"),
    ],
)
def test_a_wrong_type_is_a_fault_of_its_field(learner, submission, field):
    errors = learner.client.post(PATH, {"submission": submission}).expect(422, "validation_error").error["errors"]
    assert field in errors


@pytest.mark.parametrize(
    ("slug", "status", "symbol"),
    [
        ("lesson-1-2", 403, "lesson_not_unlocked"),
        ("lesson-2-1", 403, "level_not_found"),
        ("nowhere", 404, "lesson_not_found"),
    ],
)
def test_a_lesson_that_may_not_be_started_takes_no_submission(learner, slug, status, symbol):
    submit(learner, [file()], f"internal/lessons/{slug}/exercise_submissions").expect(status, symbol)


def test_a_lesson_in_progress_keeps_others_from_submissions(learner, db):
    learner.start("lesson-1-1")
    import_into(db, course(level("level-1", "lesson-1-2", "lesson-1-1")))
    submit(learner, [file()], "internal/lessons/lesson-1-2/exercise_submissions").expect(403, "lesson_in_progress")


def test_there_is_no_latest_before_the_first(learner):
    learner.get("lessons/lesson-1-1/exercise_submissions/latest").expect(404, "not_found")
    learner.start("lesson-1-1")
    learner.get("lessons/lesson-1-1/exercise_submissions/latest").expect(404, "not_found")
    learner.get("lessons/nowhere/exercise_submissions/latest").expect(404, "lesson_not_found")


def test_practice_after_completion_is_stored(learner, count_rows):
    learner.complete("lesson-1-1")
    submit(learner, [file()]).expect(201)
    assert count_rows("exercise_submissions") == 1


def test_the_history_is_paged_newest_first(learner):
    for number in range(5):
        submit(learner, [file("a.js", str(number))]).expect(201)
    body = learner.get("lessons/lesson-1-1/exercise_submissions?per=2&page=2").expect(200).body
    assert (body["meta"]["total_count"], body["meta"]["total_pages"]) == (5, 3)
    uuids = [row["uuid"] for row in body["results"]]
    contents = []
    for uuid in uuids:
        shown = learner.get(f"lessons/lesson-1-1/exercise_submissions/{uuid}").expect(200).body["submission"]
        contents.append(shown["files"][0]["content"])
    assert contents == ["2", "1"]


def test_a_submission_is_shown_to_its_learner_only(db, learner):
    submit(learner, [file()]).expect(201)
    uuid = learner.get("lessons/lesson-1-1/exercise_submissions/latest").body["submission"]["uuid"]
    make_learner(db).get(f"lessons/lesson-1-1/exercise_submissions/{uuid}").expect(404, "not_found")
    learner.get("lessons/lesson-1-1/exercise_submissions/junk").expect(404, "not_found")
    learner.get(f"lessons/lesson-1-2/exercise_submissions/{uuid}").expect(404, "not_found")


def test_a_repeated_submission_needs_few_queries(db, learner):
    submit(learner, [file()]).expect(201)
    warm(learner)
    with count_queries(db) as log:
        submit(learner, [file()]).expect(201)
    assert len(log) <= 3, log.statements


def test_the_number_of_files_does_not_change_the_number_of_queries(db, learner):
    submit(learner, [file("start.js")]).expect(201)
    warm(learner)
    with count_queries(db) as one:
        submit(learner, [file("a.js", "1")]).expect(201)
    with count_queries(db) as many:
        submit(learner, [file(f"{n}.js", str(n)) for n in range(20)]).expect(201)
    assert len(one) == len(many), many.statements
