"""`flask learning …`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask.cli import with_appcontext

from jiki_core.contracts import Accounts, Translator, ask
from jiki_core.db import unit_of_work
from jiki_core.errors import DomainError, ValidationFailed
from jiki_core.runtime import runtime
from jiki_learning.commands.edit_lessons import create_lesson, move_lesson
from jiki_learning.commands.examine import examine
from jiki_learning.commands.import_course import import_course, plan_course_import
from jiki_learning.commands.reset_progress import reset_progress
from jiki_learning.content.bundled import bundled_course_path
from jiki_learning.content.course import CourseContent, LessonType
from jiki_learning.content.exercism_format import read_exercism_course
from jiki_learning.content.import_report import render_plan
from jiki_learning.content.jiki_format import read_jiki_course
from jiki_learning.content.jiki_writer import FolderNotEmpty, write_jiki_course
from jiki_learning.content.mistakes import ContentRefused
from jiki_learning.queries.catalogue import current_catalogue
from jiki_learning.queries.editing import level_id_of
from jiki_learning.queries.own_settings import learning_settings
from jiki_learning.queries.stored_content import stored_course

BUNDLED = "bundled"


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


@click.command("export")
@click.argument("path", type=click.Path(file_okay=False, path_type=Path))
@click.option("--course-slug", help="Which course; the default course when left out.")
@with_appcontext
def export_command(path: Path, course_slug: str | None) -> None:
    """Write a course into the empty folder PATH, in the `jiki` format; importing it again changes nothing."""
    slug = course_slug or learning_settings().default_course_slug
    course = stored_course(slug)
    if course is None:
        raise click.ClickException(f"there is no course {slug}; there are {', '.join(current_catalogue().courses)}")
    try:
        write_jiki_course(course, path)
    except (FolderNotEmpty, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{slug}: {len(course.levels)} levels, {len(course.lessons)} lessons written to {path}")


@click.command("doctor")
@click.option("--fix", is_flag=True, help="Heal what is found.")
@with_appcontext
def doctor_command(fix: bool) -> None:
    """Look for what does not fit together; exits with 1 when something is wrong and --fix was not given."""
    with unit_of_work() as uow:
        complaints = examine(uow, fix=fix)
    for complaint in complaints:
        click.echo(f"{complaint.count} {complaint.what}{'; healed' if fix else ''}")
    if not complaints:
        click.echo("all is well")
    elif not fix:
        click.echo("remedy: flask learning doctor --fix")
        raise SystemExit(1)


@click.command("move-lesson")
@click.argument("lesson")
@click.argument("level")
@click.option("--position", type=click.IntRange(min=1), help="Place in the level; the end when left out.")
@click.option("--reopen", is_flag=True, help="Learners who completed LEVEL have it open again.")
@with_appcontext
def move_lesson_command(lesson: str, level: str, position: int | None, reopen: bool) -> None:
    """Move the lesson LESSON to the level LEVEL of the same course; learners keep what they have done of it."""
    with told_in_words(), unit_of_work() as uow:
        move_lesson(uow, lesson, level, position=position, reopen=reopen)
    click.echo(f"{lesson} is in {level}")


@click.command("append-lesson")
@click.argument("level")
@click.argument("slug")
@click.option("--type", "type_", type=click.Choice([one.value for one in LessonType]), default="exercise")
@click.option("--data", default="{}", help="JSON by the rules of the lesson's type.")
@click.option("--optional", is_flag=True, help="May be done, need not be.")
@click.option("--reopen", is_flag=True, help="Learners who completed LEVEL have it open again.")
@with_appcontext
def append_lesson_command(level: str, slug: str, type_: str, data: str, optional: bool, reopen: bool) -> None:
    """Add the lesson SLUG at the end of the level LEVEL."""
    try:
        parsed = json.loads(data)
    except json.JSONDecodeError as error:
        raise click.BadParameter(f"is not JSON: {error}", param_hint="--data") from error
    values = {"slug": slug, "type": type_, "data": parsed, "is_optional": optional}
    with told_in_words(), unit_of_work() as uow:
        create_lesson(uow, level_id_of(level), values, reopen=reopen)
    click.echo(f"{slug} is the last lesson of {level}")


@click.command("reset-progress")
@click.argument("account")
@click.option("--course-slug", help="Which course; the default course when left out.")
@click.confirmation_option(prompt="The learner's lessons and submissions in the course will be deleted. Go on?")
@with_appcontext
def reset_progress_command(account: str, course_slug: str | None) -> None:
    """Take ACCOUNT (an address or a handle) back to the beginning of a course."""
    found = ask(Accounts).find(account)
    if found is None:
        raise click.ClickException(f"there is no account {account}; give its address or its handle")
    slug = course_slug or learning_settings().default_course_slug
    with told_in_words(), unit_of_work() as uow:
        count = reset_progress(uow, found.id, slug)
    click.echo(f"{count} lessons of {slug} deleted; {found.handle} begins again")


@contextmanager
def told_in_words() -> Iterator[None]:
    """A domain error becomes one line for whoever typed the command."""
    try:
        yield
    except ValidationFailed as error:
        faults = "; ".join(f"{name}: {', '.join(one.code for one in found)}" for name, found in error.errors.items())
        raise click.ClickException(faults) from error
    except DomainError as error:
        raise click.ClickException(error.symbol.replace("_", " ")) from error
