"""Learning's answer to `CourseMaterial`: the exercises of a course folder, read as an import reads them."""

from __future__ import annotations

from pathlib import Path

from jiki_learning.content.bundled import BUNDLED_COURSE, bundled_course_path
from jiki_learning.content.course import CourseContent
from jiki_learning.content.exercism_format import CONFIG, read_exercism_course
from jiki_learning.content.jiki_format import CURRICULUM, read_jiki_course
from jiki_learning.content.mistakes import ContentRefused
from jiki_learning.contracts import CourseReading
from jiki_learning.exercise_material import material_of

BUNDLED = "bundled"


class CoursesOnDisk:
    """Answers `CourseMaterial`."""

    def read(self, path: str) -> CourseReading:
        folder = bundled_course_path() if path == BUNDLED else Path(path)
        try:
            course = _course_in(folder)
        except ContentRefused as refused:
            return CourseReading(mistakes=tuple(str(one) for one in refused.mistakes))
        if course is None:
            remedy = f"name a folder with a {CURRICULUM} or a {CONFIG}, or the word {BUNDLED} for {BUNDLED_COURSE}"
            return CourseReading(mistakes=(f"{path} holds no course: {remedy}",))
        found = [(lesson.slug, lesson.exercise) for lesson in course.lessons]
        found += [(challenge.slug, challenge.exercise) for challenge in course.challenges]
        return CourseReading(tuple(material_of(slug, one.files) for slug, one in found if one is not None))


def _course_in(folder: Path) -> CourseContent | None:
    """By the file that each format cannot do without. Raises ContentRefused."""
    if (folder / CURRICULUM).is_file():
        return read_jiki_course(folder)
    return read_exercism_course(folder) if (folder / CONFIG).is_file() else None
