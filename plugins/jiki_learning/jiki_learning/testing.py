"""Factories for tests of learning and of plugins that require it; they go through the commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from flask import Flask
from jsonschema import Draft202012Validator

from jiki_auth.testing import SampleUser, make_user, signed_in
from jiki_core.db import unit_of_work
from jiki_core.testing import Answer, ApiClient, count_queries
from jiki_learning.commands.import_course import import_course
from jiki_learning.content.bundled import BUNDLED_COURSE, bundled_course_path
from jiki_learning.content.course import (
    ChallengeContent,
    ConceptContent,
    CourseContent,
    LessonContent,
    LessonType,
    LevelContent,
)
from jiki_learning.content.import_plan import ImportPlan
from jiki_learning.content.jiki_format import read_jiki_course

#: a video that satisfies the rules of content.lesson_data
VIDEO: Mapping[str, Any] = {"provider": "mux", "id": "clip", "durationSeconds": 60, "uploadDate": "2026-01-31"}


def uuid_of(slug: str) -> str:
    """The UUID that factories give to what has this slug."""
    return str(uuid5(NAMESPACE_URL, f"jiki-testing/{slug}"))


def lesson(slug: str, type: LessonType = LessonType.EXERCISE, **values: Any) -> LessonContent:
    """A lesson; a video has one source."""
    data = {"sources": [dict(VIDEO)]} if type in (LessonType.VIDEO, LessonType.CHOOSE_LANGUAGE) else {}
    return LessonContent(**{"uuid": uuid_of(slug), "slug": slug, "type": type, "data": data, **values})


def level(slug: str, *lessons: LessonContent | str, **values: Any) -> LevelContent:
    """A level; a lesson given by its slug is a compulsory exercise."""
    made = tuple(lesson(one) if isinstance(one, str) else one for one in lessons)
    return LevelContent(**{"uuid": uuid_of(f"level {slug}"), "slug": slug, "lessons": made, **values})


def course(
    *levels: LevelContent,
    slug: str = BUNDLED_COURSE,
    concepts: Mapping[str, str | None] | None = None,
    challenges: Mapping[str, str | None] | None = None,
    **values: Any,
) -> CourseContent:
    """A course; `concepts` and `challenges` are slug -> slug of the lesson that unlocks it."""
    return CourseContent(
        slug=slug,
        levels=levels,
        concepts=tuple(ConceptContent(uuid_of(f"concept {one}"), one, by) for one, by in (concepts or {}).items()),
        challenges=tuple(
            ChallengeContent(uuid_of(f"challenge {one}"), one, one, by) for one, by in (challenges or {}).items()
        ),
        **values,
    )


def import_into(app: Flask, content: CourseContent | None = None) -> ImportPlan:
    """Imports a course, the bundled one unless another is given."""
    wanted = content or read_jiki_course(bundled_course_path())
    with app.app_context(), unit_of_work() as uow:
        return import_course(uow, wanted, default_course_slug=BUNDLED_COURSE)


def import_levels(app: Flask, sizes: Sequence[int], slug: str = BUNDLED_COURSE) -> CourseContent:
    """A course of levels with so many compulsory exercises each, named `lesson-<level>-<number>`."""
    content = course(
        *(
            level(f"level-{number}", *(f"lesson-{number}-{index}" for index in range(1, size + 1)))
            for number, size in enumerate(sizes, start=1)
        ),
        slug=slug,
    )
    import_into(app, content)
    return content


@dataclass(frozen=True)
class SampleLearner:
    """Somebody signed in, with the acts of a learner over HTTP. Paths are relative to `internal/`."""

    user: SampleUser
    client: ApiClient

    @property
    def id(self) -> int:
        return self.user.id

    def get(self, path: str) -> Answer:
        return self.client.get(f"internal/{path}")

    def start(self, lesson_slug: str) -> Answer:
        return self.client.post(f"internal/user_lessons/{lesson_slug}/start")

    def complete(self, lesson_slug: str) -> Answer:
        return self.client.patch(f"internal/user_lessons/{lesson_slug}/complete")

    def submit(self, lesson_slug: str, **code: str) -> Answer:
        """`code`: file name without its ending -> text; by default one file."""
        files = [{"filename": f"{name}.js", "code": text} for name, text in (code or {"solution": "move()"}).items()]
        return self.client.post(
            f"internal/lessons/{lesson_slug}/exercise_submissions", {"submission": {"files": files}}
        )

    def unlocked(self, lesson_slug: str) -> list[dict[str, Any]]:
        """Completes a lesson and returns `meta.events`."""
        events: list[dict[str, Any]] = self.complete(lesson_slug).expect(200).body["meta"]["events"]
        return events

    def user_levels(self, course_slug: str = BUNDLED_COURSE) -> dict[str, tuple[str, dict[str, str]]]:
        """Level slug -> (status, lesson slug -> status)."""
        rows = self.get(f"user_levels?course_slug={course_slug}").expect(200).body["user_levels"]
        return {
            row["level_slug"]: (row["status"], {one["lesson_slug"]: one["status"] for one in row["user_lessons"]})
            for row in rows
        }


def make_learner(app: Flask) -> SampleLearner:
    """A new account, enrolled in the default course if that is imported, signed in."""
    user = make_user(app)
    return SampleLearner(user, signed_in(app, user))


def forget_caches(app: Flask) -> None:
    """Drops what the app keeps of content and time zones, between tests that undo what they wrote."""
    for name in ("jiki_learning.catalogue", "jiki_learning.zones"):
        app.extensions.pop(name, None)


def warm(learner: SampleLearner) -> None:
    """Lets the app know the learner's session and the content; the first use of a session may renew it."""
    for _ in range(2):
        learner.get("courses").expect(200)
        learner.get("user_courses").expect(200)


def warm_cost(app: Flask, learner: SampleLearner, path: str) -> int:
    """How many statements a GET below `internal/` needs when the app has answered it before."""
    warm(learner)
    learner.get(path).expect(200)
    with count_queries(app) as log:
        learner.get(path).expect(200)
    return len(log)


def validated_message(app: Flask, channel: str, message: dict[str, Any]) -> dict[str, Any]:
    """A channel's message, which must be one that the AsyncAPI document names. Raises AssertionError."""
    document = app.test_client().get("/openapi/cable.json").get_json()
    known = document["channels"][channel]["messages"]
    sent = [one["$ref"].rpartition("/")[2] for one in document["operations"][f"{channel}.messages"]["messages"]]
    fitting = [
        name
        for name in sent
        if Draft202012Validator({**known[name]["payload"], "components": document["components"]}).is_valid(message)
    ]
    assert len(fitting) == 1, f"{message} fits {fitting or 'nothing'} of {channel}"
    return message
