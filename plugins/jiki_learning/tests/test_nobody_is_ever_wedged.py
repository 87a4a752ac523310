"""Random learners under random edits of the curriculum, over HTTP and in the database: everybody can always finish.

The rules alone are tried in `pure/test_progression_never_wedges.py`; here are the commands, their SQL and the editor's routes.
"""

from __future__ import annotations

import itertools
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from jiki_auth.testing import make_user, signed_in
from jiki_core.testing import drain_outbox
from jiki_core.testing.pytest_plugin import scaled
from jiki_learning.testing import course, import_into, lesson, level, make_learner

pytestmark = pytest.mark.timeout(1_200)  # of all examples, on a slow machine
EXAMPLES = scaled(100, least=5)
_numbers = itertools.count(1)


class School:
    """One course, two learners and an editor, who do what chance tells them."""

    def __init__(self, app, random):
        self.app, self.random = app, random
        self.slug = f"course-{next(_numbers)}"
        sizes = [random.randint(0, 3) for _ in range(random.randint(1, 3))] + [1]
        import_into(app, course(*(self.new_level(size) for size in sizes), slug=self.slug))
        self.learners = [make_learner(app) for _ in range(2)]
        for learner in self.learners:
            learner.client.post(f"internal/user_courses/{self.slug}/enroll").expect(200)
        self.editor = signed_in(app, make_user(app, is_admin=True))

    def new_slug(self):
        return f"row-{next(_numbers)}"

    def new_level(self, size):
        lessons = [lesson(self.new_slug(), is_optional=self.random.random() < 0.25) for _ in range(size)]
        return level(self.new_slug(), *lessons)

    def levels(self):
        return self.editor.get(f"admin/levels?course_slug={self.slug}&per=100").expect(200).body["results"]

    def lessons(self, level_id):
        return self.editor.get(f"admin/levels/{level_id}/lessons").expect(200).body["lessons"]

    def any_lesson(self):
        """(level id, lesson), or None in a course without lessons."""
        everything = [(row["id"], one) for row in self.levels() for one in self.lessons(row["id"])]
        return self.random.choice(everything) if everything else None

    # What learners do; a refusal is fine, an error is not

    def start(self):
        if (found := self.any_lesson()) is not None:
            answer = self.random.choice(self.learners).start(found[1]["slug"])
            assert answer.status in (200, 403, 422), answer.body

    def complete(self):
        if (found := self.any_lesson()) is not None:
            answer = self.random.choice(self.learners).complete(found[1]["slug"])
            assert answer.status in (200, 422), answer.body

    def complete_what_is_offered(self):
        learner = self.random.choice(self.learners)
        if offered := self.offered(learner):
            learner.complete(offered[0]).expect(200)

    # What the editor does

    def append_lesson(self):
        target = self.random.choice(self.levels())["id"]
        values = {"slug": self.new_slug(), "type": "exercise", "optional": self.random.random() < 0.3}
        self.editor.post(f"admin/levels/{target}/lessons", {"lesson": values}).expect(201)

    def insert_lesson(self):
        target = self.random.choice(self.levels())["id"]
        values = {"slug": self.new_slug(), "type": "exercise", "position": 1}
        self.editor.post(f"admin/levels/{target}/lessons", {"lesson": values}).expect(201)

    def move_lesson(self):
        if (found := self.any_lesson()) is not None:
            values = {"level_id": self.random.choice(self.levels())["id"], "position": self.random.randint(1, 4)}
            self.editor.patch(f"admin/levels/{found[0]}/lessons/{found[1]['id']}", {"lesson": values}).expect(200)

    def toggle_optional(self):
        if (found := self.any_lesson()) is not None:
            values = {"optional": not found[1]["optional"]}
            self.editor.patch(f"admin/levels/{found[0]}/lessons/{found[1]['id']}", {"lesson": values}).expect(200)

    def add_level(self):
        values = {"slug": self.new_slug(), "position": self.random.randint(1, 5)}
        self.editor.post(f"admin/levels?course_slug={self.slug}", {"level": values}).expect(201)

    def reorder_levels(self):
        row = self.random.choice(self.levels())
        values = {"position": self.random.randint(1, 5)}
        self.editor.patch(f"admin/levels/{row['id']}?course_slug={self.slug}", {"level": values}).expect(200)

    def try_to_delete(self):
        found = self.random.choice(self.levels())["id"]
        self.editor.delete(f"admin/levels/{found}").expect(405, "method_not_allowed")
        self.editor.delete(f"admin/levels/{found}/lessons/1").expect(405, "method_not_allowed")

    def let_jobs_run(self):
        drain_outbox(self.app)

    # What must hold

    def offered(self, learner):
        levels = learner.user_levels(self.slug).values()
        return [slug for _, lessons in levels for slug, status in lessons.items() if status != "completed"]

    def is_complete(self, learner):
        levels = learner.user_levels(self.slug)
        taught = [row["slug"] for row in self.levels() if self.lessons(row["id"])]
        return all(levels.get(slug, ("",))[0] == "completed" for slug in taught)

    def everybody_can_finish(self):
        for learner in self.learners:
            for _ in range(100):
                if self.is_complete(learner):
                    break
                offered = self.offered(learner)
                assert offered, f"nothing to do, and the course is not complete: {learner.user_levels(self.slug)}"
                learner.complete(offered[0]).expect(200)
            assert self.is_complete(learner)


ACTS = (
    School.start,
    School.complete,
    School.complete_what_is_offered,
    School.complete_what_is_offered,
    School.append_lesson,
    School.insert_lesson,
    School.move_lesson,
    School.toggle_optional,
    School.add_level,
    School.reorder_levels,
    School.try_to_delete,
    School.let_jobs_run,
)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    # shrinking would run hundreds of further schools; a failure names its acts as it is
    phases=(Phase.explicit, Phase.generate),
    # each example makes a course and learners of its own, so that sharing the database's transaction is meant
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32), acts=st.lists(st.sampled_from(ACTS), min_size=5, max_size=20))
def test_from_every_state_somebody_can_finish(db, seed, acts):
    school = School(db, Random(seed))
    for act in acts:
        act(school)
        for learner in school.learners:
            assert school.offered(learner) or school.is_complete(learner), act.__name__
    school.everybody_can_finish()
