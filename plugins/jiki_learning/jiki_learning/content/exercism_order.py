"""The order of an Exercism track: from "needs these concepts, teaches those" to levels.

A level is one concept exercise with the practice exercises whose last prerequisite it teaches. The first
level holds `hello-world` and everything without prerequisites, so its concepts need nothing. Concept
exercises follow each other by their prerequisites, ties in the order of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

FIRST_EXERCISE = "hello-world"


@dataclass(frozen=True, slots=True)
class TrackExercise:
    """An exercise as the order sees it. Only concept exercises teach concepts."""

    slug: str
    is_concept_exercise: bool
    teaches: tuple[str, ...]
    prerequisites: tuple[str, ...]

    @property
    def opens_the_track(self) -> bool:
        return self.slug == FIRST_EXERCISE or not self.prerequisites


@dataclass(frozen=True, slots=True)
class TrackLevel:
    """A level, named for the exercise that it is about, with its exercises in order."""

    slug: str
    exercises: tuple[str, ...]


class PrerequisiteCycle(Exception):
    """Concept exercises that wait for each other. `slugs`: each needs what the one before it teaches, and the
    first what the last one teaches."""

    def __init__(self, slugs: tuple[str, ...]) -> None:
        super().__init__(" → ".join(slugs))
        self.slugs = slugs


def teachers(exercises: Sequence[TrackExercise]) -> dict[str, str]:
    """Concept → the exercise that teaches it: the first of the file, where several do."""
    found: dict[str, str] = {}
    for exercise in exercises:
        for concept in exercise.teaches:
            found.setdefault(concept, exercise.slug)
    return found


def order_track(exercises: Sequence[TrackExercise]) -> tuple[TrackLevel, ...]:
    """The levels of a track whose exercises are given in file order.

    A prerequisite that nobody teaches does not count, but puts its exercise last. Raises PrerequisiteCycle.
    """
    teacher = teachers(exercises)
    first = [one for one in exercises if one.opens_the_track]
    first.sort(key=lambda one: (one.slug != FIRST_EXERCISE, not one.is_concept_exercise))
    later = [one for one in exercises if one.is_concept_exercise and not one.opens_the_track]
    levels = [first] if first else []
    levels += [[one] for one in _in_order_of_need(later, teacher)]
    level_of = {one.slug: number for number, level in enumerate(levels) for one in level}
    for one in exercises:
        if one.slug not in level_of:
            needed = (level_of.get(teacher.get(concept, ""), len(levels) - 1) for concept in one.prerequisites)
            levels[max(needed)].append(one)
    return tuple(TrackLevel(level[0].slug, tuple(one.slug for one in level)) for level in levels)


def _in_order_of_need(exercises: Sequence[TrackExercise], teacher: dict[str, str]) -> list[TrackExercise]:
    position = {one.slug: number for number, one in enumerate(exercises)}

    def turn(slug: str) -> tuple[bool, int]:
        """Whose turn it is among those that may come next: file order, but an untaught prerequisite last."""
        is_last = any(concept not in teacher for concept in exercises[position[slug]].prerequisites)
        return is_last, position[slug]

    needs = {one.slug: {teacher.get(concept, "") for concept in one.prerequisites} for one in exercises}
    sorter = TopologicalSorter({slug: needs[slug] & position.keys() for slug in position})
    try:
        sorter.prepare()
    except CycleError as error:
        raise PrerequisiteCycle(tuple(error.args[1][1:])) from None
    ordered: list[TrackExercise] = []
    ready: set[str] = set()
    while sorter.is_active():
        ready.update(sorter.get_ready())
        following = min(ready, key=turn)
        ready.remove(following)
        sorter.done(following)
        ordered.append(exercises[position[following]])
    return ordered
