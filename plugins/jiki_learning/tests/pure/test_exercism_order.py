"""From prerequisites to levels (issue A): tracks written as lines.

"concept basics: -> basics"         a concept exercise that needs nothing and teaches basics
"practice leap: basics bools"       a practice exercise that needs two concepts
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiki_learning.content.exercism_order import PrerequisiteCycle, TrackExercise, order_track, teachers


def track(*lines: str) -> list[TrackExercise]:
    exercises = []
    for line in lines:
        head, _, tail = line.partition(":")
        kind, slug = head.split()
        needs, _, teaches = tail.partition("->")
        exercises.append(TrackExercise(slug, kind == "concept", tuple(teaches.split()), tuple(needs.split())))
    return exercises


def levels(*lines: str) -> list[str]:
    return [" ".join(level.exercises) for level in order_track(track(*lines))]


def test_the_first_level_is_hello_world_and_everything_without_prerequisites() -> None:
    assert levels(
        "concept lasagna: -> basics",
        "concept bill: ->",
        "practice strain:",
        "practice hello-world:",
        "concept bools: basics -> bools",
    ) == ["hello-world lasagna bill strain", "bools"]


def test_a_practice_exercise_joins_the_level_that_teaches_its_last_prerequisite() -> None:
    assert levels(
        "concept lasagna: -> basics",
        "concept ghosts: basics -> bools",
        "concept bills: basics -> numbers",
        "practice leap: numbers bools basics",
        "practice easy: basics",
        "practice bob: bools",
    ) == ["lasagna easy", "ghosts bob", "bills leap"]


def test_concept_exercises_follow_their_prerequisites_and_then_the_file() -> None:
    assert levels(
        "concept start: -> a",
        "concept late: c -> d",
        "concept second: a -> b",
        "concept third: a -> c",
    ) == ["start", "second", "third", "late"]


def test_a_prerequisite_nobody_teaches_puts_an_exercise_last() -> None:
    assert levels(
        "concept start: -> a",
        "concept odd: a magic -> b",
        "concept normal: a -> c",
        "practice stray: magic",
    ) == ["start", "normal", "odd stray"]


def test_what_needs_an_exercise_that_comes_last_comes_after_it() -> None:
    assert levels(
        "concept start: -> a",
        "concept after: b -> d",
        "concept odd: magic -> b",
        "concept normal: a -> c",
    ) == ["start", "normal", "odd", "after"]


def test_a_concept_taught_twice_is_taught_by_the_first() -> None:
    assert levels("concept one: -> a", "concept two: a -> b a", "practice easy: a") == ["one easy", "two"]


def test_a_level_is_named_for_its_first_exercise() -> None:
    assert [level.slug for level in order_track(track("concept one: -> a", "concept two: a -> b"))] == [
        "one",
        "two",
    ]


@pytest.mark.parametrize(
    ("lines", "slugs"),
    [
        (["concept one: b -> a", "concept two: a -> b"], {"one", "two"}),
        (["concept self: a -> a"], {"self"}),
        (["concept one: c -> a", "concept two: a -> b", "concept three: b -> c", "concept bystander: c -> d"],
         {"one", "two", "three"}),
    ],
)  # fmt: skip
def test_a_cycle_is_refused_naming_its_members_only(lines: list[str], slugs: set[str]) -> None:
    with pytest.raises(PrerequisiteCycle) as refusal:
        order_track(track(*lines))
    assert set(refusal.value.slugs) == slugs


def test_each_member_of_a_cycle_needs_what_the_one_before_it_teaches() -> None:
    exercises = track("concept one: c -> a", "concept two: a -> b", "concept three: b -> c")
    with pytest.raises(PrerequisiteCycle) as refusal:
        order_track(exercises)
    slugs = refusal.value.slugs
    teacher, by_slug = teachers(exercises), {one.slug: one for one in exercises}
    for before, slug in zip((slugs[-1], *slugs), slugs, strict=False):
        assert before in {teacher[concept] for concept in by_slug[slug].prerequisites}


@st.composite
def tracks(draw: st.DrawFn) -> list[TrackExercise]:
    """Tracks without cycles, in any file order: exercise n needs only what earlier ones teach, or nobody
    does."""
    size = draw(st.integers(1, 8))
    exercises = []
    for number in range(size):
        earlier = [f"c{one}" for one in range(number)] + ["magic"]
        needs = tuple(draw(st.lists(st.sampled_from(earlier), max_size=3, unique=True)))
        exercises.append(TrackExercise(f"e{number}", True, (f"c{number}",), needs))
    for number in range(draw(st.integers(0, 6))):
        needs = tuple(draw(st.lists(st.sampled_from([f"c{one}" for one in range(size)]), max_size=3, unique=True)))
        exercises.append(TrackExercise(f"p{number}", False, (), needs))
    return list(draw(st.permutations(exercises)))


@given(tracks())
def test_every_exercise_comes_once_and_after_what_it_needs(exercises: list[TrackExercise]) -> None:
    ordered = order_track(exercises)
    order = [slug for level in ordered for slug in level.exercises]
    assert sorted(order) == sorted(one.slug for one in exercises)
    teacher = teachers(exercises)
    level_of = {slug: number for number, level in enumerate(ordered) for slug in level.exercises}
    for one in exercises:
        for concept in one.prerequisites:
            if concept in teacher:
                assert level_of[teacher[concept]] <= level_of[one.slug]
                assert order.index(teacher[concept]) < order.index(one.slug)
