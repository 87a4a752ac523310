"""`flask runner prepare|check|run`: for operators and for the authors of courses."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from jiki_core.contracts import ask
from jiki_learning.contracts import (
    CourseMaterial,
    ExerciseMaterial,
    RunOutcome,
    RunReport,
    RunRequest,
    TestResult,
    TestStatus,
)
from jiki_runner.engine import EngineUnavailable, Language, prepare_engine
from jiki_runner.provider import SandboxedRuns, runner_settings
from jiki_runner.readiness import missing_engines

_MARKS = {
    TestStatus.PASSED: "ok",
    TestStatus.FAILED: "FAILED",
    TestStatus.ERROR: "ERROR",
    TestStatus.SKIPPED: "skipped",
    TestStatus.TIMED_OUT: "TIMED OUT",
    TestStatus.NOT_RUN: "not run",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """One exercise's check; a report is None where nothing was run."""

    slug: str
    language: str
    stub: RunReport | None
    reference: RunReport | None
    #: what is wrong, a sentence; empty when all is well
    mistake: str


@click.command("prepare")
@click.option("--language", "languages", multiple=True, type=click.Choice([one.value for one in Language]))
@with_appcontext
def prepare_command(languages: tuple[str, ...]) -> None:
    """Fetch and compile the engines, once per machine; up to a minute the first time."""
    settings = runner_settings()
    directory = Path(settings.engine_directory).absolute()
    for language in languages or settings.languages:
        try:
            prepare_engine(Language(language), directory)
        except EngineUnavailable as error:
            raise click.ClickException(f"{language}: {error.reason} {error.remedy}") from error
        click.echo(f"{language}: ready in {directory}")


@click.command("check")
@click.argument("path")
@click.option("--exercise", "slugs", multiple=True, help="Only this exercise; may be repeated.")
@click.option("--allow-stub", "passing_stubs", multiple=True, help="An exercise whose stub is meant to pass.")
@click.option("--parallel", default=max(1, (os.cpu_count() or 2) // 2), show_default=True, help="Runs at a time.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def check_command(
    path: str, slugs: tuple[str, ...], passing_stubs: tuple[str, ...], parallel: int, as_json: bool
) -> None:
    """Run stub and model solution of every exercise of a course: the solution must pass, the stub must not.

    PATH is the folder of a course in learning's or exercism's format, or the word `bundled`. Exits with 1 when an
    exercise does not do what it should.
    """
    exercises = _exercises(path, slugs)
    found = list(_checked(exercises, frozenset(passing_stubs), parallel))
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
    else:
        for one in found:
            click.echo(f"{'MISTAKE' if one.mistake else 'ok':<8} {one.slug:<40} {_told(one)}")
        wrong = sum(bool(one.mistake) for one in found)
        click.echo(f"{len(found)} exercises, {wrong} with mistakes")
    if any(one.mistake for one in found):
        raise SystemExit(1)


@click.command("run")
@click.argument("path")
@click.argument("slug")
@click.option("--stub", "runs_stub", is_flag=True, help="Run the stub instead of the model solution.")
@click.option(
    "--solution",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Run this file instead of the one of its name; may be repeated.",
)
@with_appcontext
def run_command(path: str, slug: str, runs_stub: bool, files: tuple[Path, ...]) -> None:
    """Run one exercise of a course and show each test. Exits with 1 unless all pass."""
    exercise = _exercises(path, (slug,))[0]
    solution = dict(exercise.stub if runs_stub or files else exercise.reference)
    solution |= {file.name: file.read_text("utf-8") for file in files}
    report = _run(exercise, solution)
    for result in report.results:
        click.echo(f"{_MARKS[result.status]:<10} {result.group and f'{result.group} > '}{result.name}")
        _tell_failure(result)
    if report.breakage is not None:
        for place in report.breakage.places:
            click.echo(f"  {place.file}:{place.line}  {place.text.strip()}")
        click.echo(f"  {report.breakage.error_type}: {report.breakage.message}")
    if report.message:
        click.echo(report.message)
    hit = f", limits hit: {', '.join(report.limits_hit)}" if report.limits_hit else ""
    click.echo(f"{report.outcome.value} in {report.duration_ms / 1_000:.2f} s{hit}")
    if report.outcome is not RunOutcome.PASSED:
        raise SystemExit(1)


def _exercises(path: str, slugs: tuple[str, ...]) -> list[ExerciseMaterial]:
    """Those of a course that were asked for, all by default. Raises ClickException."""
    reading = ask(CourseMaterial).read(path)
    if reading.mistakes:
        raise click.ClickException("\n".join(reading.mistakes))
    known = {one.slug: one for one in reading.exercises}
    if unknown := [slug for slug in slugs if slug not in known]:
        raise click.ClickException(f"{path} has no exercise {', '.join(unknown)}")
    chosen = [known[slug] for slug in slugs] or list(reading.exercises)
    missing = missing_engines(runner_settings())
    if wanted := {one.language for one in chosen} & missing.keys():
        raise click.ClickException("\n".join(f"{one}: {missing[one]}" for one in sorted(wanted)))
    return chosen


def _checked(exercises: list[ExerciseMaterial], passing_stubs: frozenset[str], parallel: int) -> Iterator[Checked]:
    """In the course's order, some at a time: each run is a process of its own."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # threads need the app itself, not the proxy

    def check(exercise: ExerciseMaterial) -> Checked:
        with app.app_context():
            return _check(exercise, may_stub_pass=exercise.slug in passing_stubs)

    with ThreadPoolExecutor(max(1, parallel)) as pool:
        yield from pool.map(check, exercises)


def _check(exercise: ExerciseMaterial, *, may_stub_pass: bool) -> Checked:
    if not exercise.tests:
        return Checked(exercise.slug, exercise.language, None, None, "it has no tests")
    if exercise.language not in runner_settings().languages:
        told = exercise.language or "a language that no file's ending tells"
        return Checked(exercise.slug, exercise.language, None, None, f"there is no engine for {told}")
    stub = _run(exercise, exercise.stub)
    reference = _run(exercise, exercise.reference) if exercise.reference else None
    mistake = ""
    if reference is None:
        mistake = "it has no model solution"
    elif reference.outcome is not RunOutcome.PASSED:
        mistake = f"the model solution does not pass: {_why(reference)}"
    elif stub.outcome is RunOutcome.PASSED and not may_stub_pass:
        mistake = "the stub passes all tests"
    elif stub.outcome is RunOutcome.FAULT:
        mistake = f"the stub cannot be judged: {stub.message}"
    return Checked(exercise.slug, exercise.language, stub, reference, mistake)


def _run(exercise: ExerciseMaterial, solution: Mapping[str, str]) -> RunReport:
    request = RunRequest(exercise.language, solution, exercise.tests, exercise.support)
    report = SandboxedRuns().run(request, lambda progress: None, lambda: False)
    if report is None:
        raise click.ClickException(f"{exercise.slug}: the engine gave no report")
    return report


def _why(report: RunReport) -> str:
    """The first thing that went wrong."""
    if report.breakage is not None:
        return f"{report.breakage.error_type}: {report.breakage.message}"
    wrong = next((one for one in report.results if one.status not in (TestStatus.PASSED, TestStatus.SKIPPED)), None)
    return report.message or ("no test ran" if wrong is None else f"{wrong.name}: {wrong.message}")


def _told(one: Checked) -> str:
    if one.mistake:
        return one.mistake
    if one.reference is None or one.stub is None:
        raise RuntimeError("an exercise without a mistake was run twice")
    return (
        f"{len(one.reference.results)} tests, {one.reference.duration_ms / 1_000:.2f} s; stub {one.stub.outcome.value}"
    )


def _tell_failure(result: TestResult) -> None:
    if result.status in (TestStatus.PASSED, TestStatus.SKIPPED):
        return
    for line in result.message.splitlines():
        click.echo(f"    {line}")
    if result.expected or result.actual:
        click.echo(f"    expected {result.expected}, got {result.actual}")
