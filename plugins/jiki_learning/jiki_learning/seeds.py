"""What `flask seed` puts into a fresh database."""

from __future__ import annotations

from typing import cast

from jiki_core.db import UnitOfWork
from jiki_core.runtime import runtime
from jiki_learning.commands.import_course import import_course
from jiki_learning.content.bundled import bundled_course_path
from jiki_learning.content.jiki_format import read_jiki_course
from jiki_learning.settings import LearningSettings


def bundled_course(uow: UnitOfWork) -> None:
    """The course that ships with Jiki, into which new accounts are enrolled by default."""
    settings = cast(LearningSettings, runtime().plugin_settings["learning"])
    import_course(uow, read_jiki_course(bundled_course_path()), default_course_slug=settings.default_course_slug)
