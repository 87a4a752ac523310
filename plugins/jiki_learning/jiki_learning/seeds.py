"""What `flask seed` puts into a fresh database."""

from __future__ import annotations

from jiki_core.db import UnitOfWork
from jiki_learning.commands.import_course import import_course
from jiki_learning.content.bundled import bundled_course_path
from jiki_learning.content.jiki_format import read_jiki_course
from jiki_learning.queries.own_settings import learning_settings


def bundled_course(uow: UnitOfWork) -> None:
    """The course that ships with Jiki, into which new accounts are enrolled by default."""
    import_course(
        uow, read_jiki_course(bundled_course_path()), default_course_slug=learning_settings().default_course_slug
    )
