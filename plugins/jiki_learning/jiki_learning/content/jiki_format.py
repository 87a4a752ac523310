"""The `jiki` course format (contract.md 4.4), read into a CourseContent.

    curriculum.json     {"levels": [{uuid, slug, milestone_email_subject, …, lessons: [{uuid, slug, type, …}]}]}
    concepts.json       [{uuid, slug, unlocked_by_lesson_slug}]
    challenges.json     [{uuid, slug, exercise_slug, unlocked_by_lesson_slug}]
    level_translations/<locale>.json     [{level_uuid, milestone_email_subject, …}]
    exercises/<slug>/   instructions.md, solution.js, solution.test.js, …

Only curriculum.json has to be there. Where there is a folder `exercises`, every exercise lesson and every
challenge has its folder in it; without one the client holds the texts. In an exercise's folder `solution.*`
is the stub, `exemplar.*` the model solution, `*.test.*` a test, anything else support; `introduction.md` and
`hints.md` may be beside `instructions.md`, and `exercise.json` says what names and texts do not: {title, blurb,
difficulty, concepts, prerequisites, practices, tests_decide, files: {path: role}}; with `tests_decide` a test run on
the server says what has passed. An exercise whose texts the client holds, in a course where others have folders, says
`"has_material": false`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Set
from pathlib import Path, PurePosixPath

from jiki_learning.content.course import (
    ChallengeContent,
    ConceptContent,
    CourseContent,
    ExerciseContent,
    ExerciseFile,
    FileRole,
    LessonContent,
    LessonType,
    LevelContent,
    LevelTranslation,
    Origin,
)
from jiki_learning.content.lesson_data import lesson_data_faults
from jiki_learning.content.located_json import JsonObject, line_at, plain
from jiki_learning.content.mistakes import Findings
from jiki_learning.content.reading import CourseFolder, Record

CURRICULUM, CONCEPTS, CHALLENGES = "curriculum.json", "concepts.json", "challenges.json"
TRANSLATIONS, EXERCISES, EXERCISE = "level_translations", "exercises", "exercise.json"
HAS_MATERIAL, TESTS_DECIDE = "has_material", "tests_decide"

_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?")
_IDENTITY = ("uuid", "slug")
_EMAIL_TEXTS = ("milestone_email_subject", "milestone_email_content_markdown")
_DOCUMENTS = ("instructions.md", "introduction.md", "hints.md", EXERCISE)


def read_jiki_course(
    path: Path, course_slug: str | None = None, known_locales: Collection[str] | None = None
) -> CourseContent:
    """Read the course in the folder `path`; its slug is the folder's name unless given.

    `known_locales`: what translations may be in; None accepts any well-formed tag. Raises ContentRefused
    with all mistakes.
    """
    findings = Findings()
    reader = _JikiReader(CourseFolder(path, findings), findings)
    levels = reader.levels()
    course = CourseContent(
        slug=course_slug or path.resolve().name,
        levels=levels,
        translations=reader.translations({level.uuid for level in levels}, known_locales),
        concepts=reader.concepts({lesson.slug for level in levels for lesson in level.lessons}),
        challenges=reader.challenges({lesson.slug for level in levels for lesson in level.lessons}),
    )
    reader.warn_of_unused_exercises(course)
    return findings.conclude(course, Origin(CURRICULUM, 1))


class _JikiReader:
    def __init__(self, folder: CourseFolder, findings: Findings) -> None:
        self.folder = folder
        self.findings = findings

    def levels(self) -> tuple[LevelContent, ...]:
        curriculum = self.folder.record(CURRICULUM, Origin(CURRICULUM, 1))
        if curriculum is None:
            return ()
        curriculum.warn_of_unknown_keys("levels")
        return tuple(self.level(record) for record in curriculum.records("levels"))

    def level(self, record: Record) -> LevelContent:
        record.warn_of_unknown_keys(*_IDENTITY, *_EMAIL_TEXTS, "milestone_email_image_url", "lessons")
        uuid, slug = self.identity(record, "level")
        return LevelContent(
            uuid=uuid,
            slug=slug,
            milestone_email_subject=record.text("milestone_email_subject", default=""),
            milestone_email_content_markdown=record.text("milestone_email_content_markdown", default=""),
            milestone_email_image_url=record.text("milestone_email_image_url", default=""),
            lessons=tuple(self.lesson(lesson) for lesson in record.records("lessons")),
            origin=record.origin("slug"),
        )

    def identity(self, record: Record, kind: str) -> tuple[str, str]:
        uuid, slug = record.uuid("uuid"), record.slug("slug")
        self.findings.claim(record.origin("uuid"), kind, "uuid", uuid)
        self.findings.claim(record.origin("slug"), kind, "slug", slug)
        return uuid, slug

    def lesson(self, record: Record) -> LessonContent:
        record.warn_of_unknown_keys(*_IDENTITY, "type", "optional", "data", "walkthrough_video_data", HAS_MATERIAL)
        uuid, slug = self.identity(record, "lesson")
        type = self.lesson_type(record)
        data, walkthrough = record.value.get("data"), record.value.get("walkthrough_video_data")
        for fault in lesson_data_faults(type, data, walkthrough):
            line = line_at(record.value, fault.path, default=record.value.line)
            self.findings.mistake(Origin(record.file, line), f"{slug}: {fault.cause}", fault.remedy)
        return LessonContent(
            uuid=uuid,
            slug=slug,
            type=type,
            is_optional=record.is_true("optional"),
            data=plain(data) or {},
            walkthrough_video_data=plain(walkthrough),
            exercise=self.exercise(record, "slug", slug) if type is LessonType.EXERCISE else None,
            origin=record.origin("slug"),
        )

    def lesson_type(self, record: Record) -> LessonType:
        value = record.text("type")
        try:
            return LessonType(value)
        except ValueError:
            if value:
                remedy = f"use one of {', '.join(LessonType)}"
                self.findings.mistake(record.origin("type"), f"unknown lesson type {value!r}", remedy)
            return LessonType.QUIZ  # the type whose data is free: no further mistakes follow from this one

    def concepts(self, lessons: Set[str]) -> tuple[ConceptContent, ...]:
        found: list[ConceptContent] = []
        for record in self.records_if_any(CONCEPTS):
            record.warn_of_unknown_keys(*_IDENTITY, "unlocked_by_lesson_slug")
            uuid, slug = self.identity(record, "concept")
            found.append(ConceptContent(uuid, slug, self.unlocking(record, lessons), record.origin("slug")))
        return tuple(found)

    def challenges(self, lessons: Set[str]) -> tuple[ChallengeContent, ...]:
        found: list[ChallengeContent] = []
        for record in self.records_if_any(CHALLENGES):
            record.warn_of_unknown_keys(*_IDENTITY, "exercise_slug", "unlocked_by_lesson_slug", HAS_MATERIAL)
            uuid, slug = self.identity(record, "challenge")
            unlocking = self.unlocking(record, lessons)
            # A completed lesson announces at most one challenge (contract.md 4.1).
            place = record.origin("unlocked_by_lesson_slug")
            self.findings.claim(place, "challenge", "unlocked_by_lesson_slug", unlocking or "")
            exercise_slug = record.slug("exercise_slug")
            exercise = self.exercise(record, "exercise_slug", exercise_slug)
            found.append(ChallengeContent(uuid, slug, exercise_slug, unlocking, exercise, record.origin("slug")))
        return tuple(found)

    def unlocking(self, record: Record, lessons: Set[str]) -> str | None:
        slug = record.optional_slug("unlocked_by_lesson_slug")
        if slug and slug not in lessons:
            place = record.origin("unlocked_by_lesson_slug")
            remedy = f"name a lesson of {CURRICULUM}, or null"
            self.findings.mistake(place, f"the unlocking lesson {slug} does not exist", remedy)
        return slug

    def translations(self, levels: Set[str], known_locales: Collection[str] | None) -> tuple[LevelTranslation, ...]:
        found: list[LevelTranslation] = []
        for name in self.folder.names(TRANSLATIONS):
            file = f"{TRANSLATIONS}/{name}"
            locale = name.removesuffix(".json")
            self.check_locale(file, locale, known_locales)
            for record in self.folder.records(file, Origin(file, 1)):
                record.warn_of_unknown_keys("level_uuid", *_EMAIL_TEXTS)
                uuid, place = record.uuid("level_uuid"), record.origin("level_uuid")
                self.findings.claim(place, f"{locale} translation", "level_uuid", uuid)
                if uuid and uuid not in levels:
                    remedy = f"use the uuid of a level in {CURRICULUM}"
                    self.findings.mistake(place, f"no level has the uuid {uuid}", remedy)
                subject, content = (record.text(key) for key in _EMAIL_TEXTS)
                found.append(LevelTranslation(uuid, locale, subject, content, place))
        return tuple(found)

    def records_if_any(self, file: str) -> list[Record]:
        return self.folder.records(file, Origin(file, 1)) if self.folder.has(file) else []

    def check_locale(self, file: str, locale: str, known_locales: Collection[str] | None) -> None:
        place = Origin(file, 1)
        if locale == "en":
            remedy = "remove the file: English texts belong in curriculum.json"
            self.findings.mistake(place, "English is the original, not a translation", remedy)
        elif not _LOCALE.fullmatch(locale) or not file.endswith(".json"):
            remedy = "name the file <locale>.json, such as hu.json or es-ES.json"
            self.findings.mistake(place, f"{file} is not named for a locale", remedy)
        elif known_locales is not None and locale not in known_locales:
            remedy = f"use one of {', '.join(sorted(known_locales))}"
            self.findings.mistake(place, f"unknown locale {locale}", remedy)

    def exercise(self, record: Record, key: str, slug: str) -> ExerciseContent | None:
        """The folder of an exercise that `record` names under `key`."""
        if not slug or not self.folder.has(EXERCISES) or not record.is_true(HAS_MATERIAL, default=True):
            return None
        path, wanted_by = f"{EXERCISES}/{slug}", record.origin(key)
        instructions = self.folder.text(f"{path}/instructions.md", wanted_by) or ""
        facts = self.exercise_facts(f"{path}/{EXERCISE}")
        files = tuple(self.exercise_files(path, facts, wanted_by))
        if not any(file.role is FileRole.STUB for file in files):
            remedy = f"add {path}/solution.js, or what the language calls it"
            self.findings.mistake(wanted_by, f"{path} has no file for the learner", remedy)
        return ExerciseContent(
            title=facts.text("title", default="") or title_of(instructions, slug),
            instructions=instructions,
            introduction=self.folder.optional_text(f"{path}/introduction.md"),
            hints=self.folder.optional_text(f"{path}/hints.md"),
            files=files,
            blurb=facts.text("blurb", default=""),
            difficulty=facts.number("difficulty"),
            tests_decide=facts.is_true(TESTS_DECIDE),
            concepts=facts.texts("concepts", is_required=False),
            prerequisites=facts.texts("prerequisites", is_required=False),
            practices=facts.texts("practices", is_required=False),
        )

    def exercise_facts(self, path: str) -> Record:
        """What `exercise.json` says; nothing when there is none."""
        found = self.folder.record(path, Origin(path, 1)) if self.folder.has(path) else None
        facts = found or Record(JsonObject(1), path, self.findings)
        facts.warn_of_unknown_keys(
            "title", "blurb", "difficulty", "concepts", "prerequisites", "practices", "files", TESTS_DECIDE
        )
        return facts

    def exercise_files(self, path: str, facts: Record, wanted_by: Origin) -> Iterable[ExerciseFile]:
        """The files that `exercise.json` lists, in its order; without a list, those of the folder."""
        if "files" in facts.value:
            listed = facts.record("files")
            for name in listed.value:
                role = listed.text(name)
                if role not in tuple(FileRole):
                    remedy = f"use one of {', '.join(FileRole)}"
                    self.findings.mistake(listed.origin(name), f"unknown role {role!r} of a file", remedy)
                    continue
                content = self.folder.text(f"{path}/{name}", listed.origin(name))
                yield ExerciseFile(name, FileRole(role), content or "")
            return
        for name in self.folder.names(path):
            if name not in _DOCUMENTS:
                content = self.folder.text(f"{path}/{name}", wanted_by)
                yield ExerciseFile(name, role_of(name), content or "")

    def warn_of_unused_exercises(self, course: CourseContent) -> None:
        used = {lesson.slug for lesson in course.lessons} | {one.exercise_slug for one in course.challenges}
        for name in self.folder.names(EXERCISES):
            if name not in used:
                place = Origin(f"{EXERCISES}/{name}", 1)
                self.findings.warn(place, "no lesson or challenge uses this exercise", "it was ignored")


def role_of(name: str) -> FileRole:
    """What a file is for, by its name."""
    stem = PurePosixPath(name).name.split(".")[0]
    if ".test." in name:
        return FileRole.TEST
    return {"solution": FileRole.STUB, "exemplar": FileRole.EXEMPLAR}.get(stem, FileRole.SUPPORT)


def title_of(instructions: str, slug: str) -> str:
    """The heading that the instructions begin with, else the slug in words."""
    heading = re.match(r"\s*#\s+(.+)", instructions)
    return heading.group(1).strip() if heading else slug.replace("-", " ").capitalize()
