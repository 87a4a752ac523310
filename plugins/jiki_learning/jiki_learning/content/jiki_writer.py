"""Writes a CourseContent as a folder in the `jiki` format; reading it again gives the same course."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jiki_learning.content.course import CourseContent, ExerciseContent, LessonContent, LessonType, LevelContent
from jiki_learning.content.jiki_format import (
    CHALLENGES,
    CONCEPTS,
    CURRICULUM,
    EXERCISE,
    EXERCISES,
    HAS_MATERIAL,
    TRANSLATIONS,
    role_of,
    title_of,
)


class FolderNotEmpty(Exception):
    """The folder has something in it already; an export never mixes with it."""


def write_jiki_course(course: CourseContent, folder: Path) -> None:
    """Raises FolderNotEmpty, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FolderNotEmpty(f"{folder} is not empty; name a new folder, or empty it first")
    exercises = {one.slug: one.exercise for one in course.lessons if one.exercise is not None}
    exercises |= {one.exercise_slug: one.exercise for one in course.challenges if one.exercise is not None}
    _write(folder / CURRICULUM, {"levels": [_level(level, bool(exercises)) for level in course.levels]})
    if course.concepts:
        _write(
            folder / CONCEPTS,
            [
                {"uuid": one.uuid, "slug": one.slug, "unlocked_by_lesson_slug": one.unlocked_by_lesson_slug}
                for one in course.concepts
            ],
        )
    if course.challenges:
        _write(
            folder / CHALLENGES,
            [
                {
                    "uuid": one.uuid,
                    "slug": one.slug,
                    "exercise_slug": one.exercise_slug,
                    "unlocked_by_lesson_slug": one.unlocked_by_lesson_slug,
                    **_material_flag(one.exercise, bool(exercises)),
                }
                for one in course.challenges
            ],
        )
    _write_translations(course, folder / TRANSLATIONS)
    for slug, exercise in exercises.items():
        _write_exercise(exercise, folder / EXERCISES / slug)


def _level(level: LevelContent, has_exercises: bool) -> dict[str, Any]:
    texts = {
        "milestone_email_subject": level.milestone_email_subject,
        "milestone_email_content_markdown": level.milestone_email_content_markdown,
        "milestone_email_image_url": level.milestone_email_image_url,
    }
    return {
        "uuid": level.uuid,
        "slug": level.slug,
        **{name: value for name, value in texts.items() if value},
        "lessons": [_lesson(lesson, has_exercises) for lesson in level.lessons],
    }


def _lesson(lesson: LessonContent, has_exercises: bool) -> dict[str, Any]:
    written: dict[str, Any] = {"uuid": lesson.uuid, "slug": lesson.slug, "type": lesson.type.value}
    if lesson.is_optional:
        written["optional"] = True
    if lesson.data:
        written["data"] = lesson.data
    if lesson.walkthrough_video_data is not None:
        written["walkthrough_video_data"] = lesson.walkthrough_video_data
    if lesson.type is LessonType.EXERCISE:
        written |= _material_flag(lesson.exercise, has_exercises)
    return written


def _material_flag(exercise: ExerciseContent | None, has_exercises: bool) -> dict[str, bool]:
    """Where other exercises have folders, one without says so."""
    return {HAS_MATERIAL: False} if has_exercises and exercise is None else {}


def _write_translations(course: CourseContent, folder: Path) -> None:
    by_locale: dict[str, list[dict[str, str]]] = {}
    for one in course.translations:
        by_locale.setdefault(one.locale, []).append(
            {
                "level_uuid": one.level_uuid,
                "milestone_email_subject": one.milestone_email_subject,
                "milestone_email_content_markdown": one.milestone_email_content_markdown,
            }
        )
    for locale, records in by_locale.items():
        _write(folder / f"{locale}.json", records)


def _write_exercise(exercise: ExerciseContent, folder: Path) -> None:
    _write_text(folder / "instructions.md", exercise.instructions)
    for name, text in (("introduction", exercise.introduction), ("hints", exercise.hints)):
        if text:
            _write_text(folder / f"{name}.md", text)
    for file in exercise.files:
        _write_text(folder / file.path, file.content)
    if facts := _facts(exercise, folder.name):
        _write(folder / EXERCISE, facts)


def _facts(exercise: ExerciseContent, slug: str) -> dict[str, Any]:
    """What the folder's names and texts do not tell."""
    facts: dict[str, Any] = {}
    if exercise.title != title_of(exercise.instructions, slug):
        facts["title"] = exercise.title
    for name in ("blurb", "difficulty", "concepts", "prerequisites", "practices", "tests_decide"):
        if value := getattr(exercise, name):
            facts[name] = list(value) if isinstance(value, tuple) else value
    if not _is_plain(exercise):
        facts["files"] = {file.path: file.role.value for file in exercise.files}
    return facts


def _is_plain(exercise: ExerciseContent) -> bool:
    """Whether reading the folder's files in alphabetical order, with the roles of their names, gives the same."""
    paths = [file.path for file in exercise.files]
    return paths == sorted(paths) and all(
        file.role is role_of(file.path) and "/" not in file.path and not file.path.startswith(".")
        for file in exercise.files
    )


def _write(path: Path, value: dict[str, Any] | Iterable[Any]) -> None:
    _write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def _write_text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # newline="" keeps a file's own ends of lines
    path.write_text(content, encoding="utf-8", newline="")
