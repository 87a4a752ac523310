"""Chooses the language in which a learner takes a course: once (contract.md 3.7)."""

from __future__ import annotations

from sqlalchemy import select, update

from jiki_core.db import UnitOfWork
from jiki_core.errors import NotFound
from jiki_learning.content.lesson_data import LANGUAGES
from jiki_learning.errors import InvalidLanguage, LanguageAlreadyChosen
from jiki_learning.models import UserCourse
from jiki_learning.queries.catalogue import find_course


def choose_language(uow: UnitOfWork, user_id: int, slug: str, language: object) -> None:
    """Raises CourseNotFound, NotFound (not enrolled), LanguageAlreadyChosen, InvalidLanguage."""
    course = find_course(slug)
    mine = (UserCourse.user_id == user_id, UserCourse.course_id == course.id)
    current = uow.session.execute(select(UserCourse.language).where(*mine).with_for_update()).one_or_none()
    if current is None:
        raise NotFound()
    if current.language is not None:
        raise LanguageAlreadyChosen()
    if language not in LANGUAGES:
        raise InvalidLanguage()
    uow.session.execute(update(UserCourse).where(*mine).values(language=language, revision=UserCourse.revision + 1))
