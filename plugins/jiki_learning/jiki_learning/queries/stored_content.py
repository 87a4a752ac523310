"""The stored catalogue as the values that content is read into: for plans of imports, and for exports."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import aliased

from jiki_core.db import reading
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
)
from jiki_learning.content.import_plan import CatalogueSnapshot, Kind
from jiki_learning.models import (
    Challenge,
    Concept,
    Course,
    Exercise,
    Lesson,
    Level,
    UnlockEdge,
)
from jiki_learning.models import ExerciseFile as StoredFile
from jiki_learning.models import LevelTranslation as StoredTranslation

#: who owns what an admin made outside every course
NO_COURSE = "(none)"


def stored_snapshot(slug: str) -> CatalogueSnapshot:
    """This course as it stands, None before its first import, and what all others have taken."""
    return CatalogueSnapshot(stored_course(slug), _taken_by_others(slug))


def stored_course(slug: str) -> CourseContent | None:
    """A course with everything in it, in the order of positions. A statement per kind of row."""
    course_id = reading().execute(select(Course.id).where(Course.slug == slug)).scalar_one_or_none()
    if course_id is None:
        return None
    exercises = _exercises(course_id)
    return CourseContent(
        slug=slug,
        levels=_levels(course_id, exercises),
        translations=_translations(course_id),
        concepts=_concepts(course_id),
        challenges=_challenges(course_id, exercises),
    )


def _levels(course_id: int, exercises: dict[tuple[str, int], ExerciseContent]) -> tuple[LevelContent, ...]:
    lessons: dict[int, list[LessonContent]] = {}
    for lesson in reading().scalars(
        select(Lesson)
        .join(Level, Level.id == Lesson.level_id)
        .where(Level.course_id == course_id)
        .order_by(Lesson.position)
    ):
        lessons.setdefault(lesson.level_id, []).append(
            LessonContent(
                uuid=str(lesson.uuid),
                slug=lesson.slug,
                type=LessonType(lesson.type),
                is_optional=lesson.is_optional,
                data=lesson.data,
                walkthrough_video_data=lesson.walkthrough_video_data,
                exercise=exercises.get(("lesson", lesson.id)),
            )
        )
    levels = reading().scalars(select(Level).where(Level.course_id == course_id).order_by(Level.position))
    return tuple(
        LevelContent(
            uuid=str(level.uuid),
            slug=level.slug,
            lessons=tuple(lessons.get(level.id, ())),
            milestone_email_subject=level.milestone_email_subject,
            milestone_email_content_markdown=level.milestone_email_content_markdown,
            milestone_email_image_url=level.milestone_email_image_url,
        )
        for level in levels
    )


def _translations(course_id: int) -> tuple[LevelTranslation, ...]:
    rows = reading().execute(
        select(
            Level.uuid,
            StoredTranslation.locale,
            StoredTranslation.milestone_email_subject,
            StoredTranslation.milestone_email_content_markdown,
        )
        .join(Level, Level.id == StoredTranslation.level_id)
        .where(Level.course_id == course_id)
        .order_by(StoredTranslation.locale, Level.position)
    )
    return tuple(LevelTranslation(str(uuid), locale, subject, content) for uuid, locale, subject, content in rows)


def _concepts(course_id: int) -> tuple[ConceptContent, ...]:
    rows = reading().execute(
        select(Concept.uuid, Concept.slug, Lesson.slug)
        .outerjoin(UnlockEdge, UnlockEdge.concept_id == Concept.id)
        .outerjoin(Lesson, Lesson.id == UnlockEdge.lesson_id)
        .where(Concept.course_id == course_id)
        .order_by(Concept.id)
    )
    return tuple(ConceptContent(str(uuid), slug, lesson_slug) for uuid, slug, lesson_slug in rows)


def _challenges(course_id: int, exercises: dict[tuple[str, int], ExerciseContent]) -> tuple[ChallengeContent, ...]:
    rows = reading().execute(
        select(Challenge.id, Challenge.uuid, Challenge.slug, Challenge.exercise_slug, Lesson.slug.label("lesson_slug"))
        .outerjoin(UnlockEdge, UnlockEdge.challenge_id == Challenge.id)
        .outerjoin(Lesson, Lesson.id == UnlockEdge.lesson_id)
        .where(Challenge.course_id == course_id)
        .order_by(Challenge.id)
    )
    return tuple(
        ChallengeContent(
            str(row.uuid), row.slug, row.exercise_slug, row.lesson_slug, exercises.get(("challenge", row.id))
        )
        for row in rows
    )


def _exercises(course_id: int) -> dict[tuple[str, int], ExerciseContent]:
    """("lesson" | "challenge", id) -> its exercise."""
    challenge, level = aliased(Challenge), aliased(Level)
    exercises = reading().scalars(
        select(Exercise)
        .outerjoin(Lesson, Lesson.id == Exercise.lesson_id)
        .outerjoin(level, level.id == Lesson.level_id)
        .outerjoin(challenge, challenge.id == Exercise.challenge_id)
        .where((level.course_id == course_id) | (challenge.course_id == course_id))
    )
    found = list(exercises)
    files: dict[int, list[StoredFile]] = {}
    for file in reading().scalars(
        select(StoredFile).where(StoredFile.exercise_id.in_([one.id for one in found])).order_by(StoredFile.position)
    ):
        files.setdefault(file.exercise_id, []).append(file)
    return {
        ("lesson", one.lesson_id) if one.lesson_id is not None else ("challenge", one.challenge_id or 0): _exercise(
            one, files.get(one.id, ())
        )
        for one in found
    }


def _exercise(one: Exercise, files: Iterable[StoredFile]) -> ExerciseContent:
    return ExerciseContent(
        title=one.title,
        instructions=one.instructions,
        files=tuple(ExerciseFile(file.path, FileRole(file.role), file.content) for file in files),
        blurb=one.blurb,
        introduction=one.introduction,
        hints=one.hints,
        concepts=tuple(one.concepts),
        prerequisites=tuple(one.prerequisites),
        practices=tuple(one.practices),
        difficulty=one.difficulty,
        tests_decide=one.tests_decide,
    )


def _taken_by_others(slug: str) -> dict[tuple[Kind, str], str]:
    """(kind, UUID or slug) -> the course that has it."""
    taken: dict[tuple[Kind, str], str] = {}
    lessons = select(Lesson.uuid, Lesson.slug, Course.slug.label("course")).join(Level, Level.id == Lesson.level_id)
    statements = {
        Kind.LEVEL: select(Level.uuid, Level.slug, Course.slug.label("course")).join(
            Course, Course.id == Level.course_id
        ),
        Kind.LESSON: lessons.join(Course, Course.id == Level.course_id),
        Kind.CONCEPT: select(Concept.uuid, Concept.slug, Course.slug.label("course")).outerjoin(
            Course, Course.id == Concept.course_id
        ),
        Kind.CHALLENGE: select(Challenge.uuid, Challenge.slug, Course.slug.label("course")).outerjoin(
            Course, Course.id == Challenge.course_id
        ),
    }
    for kind, statement in statements.items():
        for uuid, row_slug, course in reading().execute(statement.where(Course.slug.is_distinct_from(slug))):
            taken[kind, str(uuid)] = taken[kind, row_slug] = course or NO_COURSE
    return taken
