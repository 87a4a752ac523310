"""`flask learning …`."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click
from flask.cli import with_appcontext

from jiki_core.contracts import Translator, ask
from jiki_core.db import unit_of_work
from jiki_core.runtime import runtime
from jiki_learning.commands.import_course import import_course, plan_course_import
from jiki_learning.content.bundled import bundled_course_path
from jiki_learning.content.course import CourseContent
from jiki_learning.content.exercism_format import read_exercism_course
from jiki_learning.content.import_report import render_plan
from jiki_learning.content.jiki_format import read_jiki_course
from jiki_learning.content.mistakes import ContentRefused
from jiki_learning.settings import LearningSettings

BUNDLED = "bundled"


def learning_settings() -> LearningSettings:
    return cast(LearningSettings, runtime().plugin_settings["learning"])


def read_course(path: str, format: str, course_slug: str | None) -> CourseContent:
    """The course in a folder, or the bundled one. Raises ContentRefused."""
    if path == BUNDLED:
        return read_jiki_course(bundled_course_path(), course_slug)
    folder = Path(path)
    if not folder.is_dir():
        raise click.ClickException(f"{path} is not a folder; name the folder of a course, or the word {BUNDLED}")
    if format == "exercism":
        return read_exercism_course(folder, course_slug)
    return read_jiki_course(folder, course_slug, known_locales())


def known_locales() -> tuple[str, ...] | None:
    """What translations may be in; None, any well-formed tag, while i18n is off."""
    if not runtime().plugins.is_listed("i18n"):
        return None
    return tuple(ask(Translator).known_locales())


@click.command("import")
@click.argument("path", default=BUNDLED)
@click.option("--format", "format_", type=click.Choice(("jiki", "exercism")), default="jiki", show_default=True)
@click.option("--course-slug", help="The course's slug; by default its folder's name, or exercism-<track>.")
@click.option("--dry-run", is_flag=True, help="Tell what would change and change nothing.")
@with_appcontext
def import_command(path: str, format_: str, course_slug: str | None, dry_run: bool) -> None:
    """Bring the course in the folder PATH into the catalogue; without PATH, the course that ships with Jiki.

    Rows are matched by UUID, else by slug, and never deleted; what the folder does not name any more is reported. With a
    mistake anywhere in the folder nothing is written.
    """
    try:
        course = read_course(path, format_, course_slug)
        if dry_run:
            plan = plan_course_import(course)
        else:
            with unit_of_work() as uow:
                plan = import_course(uow, course, default_course_slug=learning_settings().default_course_slug)
    except ContentRefused as refused:
        raise click.ClickException(str(refused)) from refused
    click.echo(render_plan(plan))
