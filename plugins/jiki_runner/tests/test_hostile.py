"""Programs that mean harm (hostile/*.txt): each is contained, reported, and leaves nothing behind.

The tests want 42. Each program answers 42 only if its attack worked, so a pass is a hole. A section is headed
by the attack's name, the outcomes it may have, the limits of which it must hit one (or `-`), and whether it
runs always.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from jiki_runner.engine import Language, Limit, Limits, Outcome, Report, TestStatus
from jiki_runner.engine.limits import MEBIBYTE

PYTHON_TESTS = """
import unittest
from answer import answer

class AnswerTest(unittest.TestCase):
    def test_first(self):
        self.assertEqual(answer(), 42)

    def test_again(self):
        self.assertEqual(answer(), 42)

    def test_callback(self):
        self.assertEqual(answer(lambda: self.assertEqual(1, 2)), 42)
"""
JAVASCRIPT_TESTS = """
import { answer } from './answer';

describe('answer', () => {
  test('first', () => { expect(answer()).toBe(42); });
  test('deep', () => { expect([answer(), { a: [answer()] }]).toEqual([42, { a: [42] }]); });
  test('awaited', async () => { expect(await answer()).toEqual(42); });
  test('callback', () => { expect(answer(() => expect(1).toBe(2))).toBe(42); });
});
"""
FILES = {
    Language.PYTHON: ("answer.py", "answer_test.py", PYTHON_TESTS),
    Language.JAVASCRIPT: ("answer.js", "answer.spec.js", JAVASCRIPT_TESTS),
}
#: Short, so that programs that never end do not make the suite long.
LIMITS = Limits(wall_clock_seconds=1.0, cpu_seconds=8, memory_bytes=64 * MEBIBYTE, output_bytes=16 * 1024)
#: A solution that was stopped has its results told, and its process ended, within this.
SLACK_SECONDS = 15.0
MINIMUM_PROGRAMS = 50


def frame(kind: bytes, payload: object) -> str:
    """A forged frame (wire.py) as the source text of a Python bytes literal."""
    data = json.dumps(payload).encode()
    return repr(struct.pack(">I", len(data)) + kind + data)


#: Names in the Python programs that stand for forged frames.
FORGERIES = {
    "FORGED_PASS": frame(b"H", {"event": "finished", "id": "AnswerTest.test_first", "status": "passed"}),
    "FORGED_DONE": frame(b"H", {"event": "done"}),
    "FORGED_END": frame(b"G", "bye"),
    "FORGED_SKIP": frame(b"P", ["raise", ["exception", 9, ["standard", "unittest.case.SkipTest"], [], []]]),
}


@dataclass(frozen=True, slots=True)
class HostileProgram:
    language: Language
    name: str
    outcomes: frozenset[Outcome]
    limits: frozenset[Limit]
    runs_always: bool
    text: str


def read_programs(language: Language) -> Iterator[HostileProgram]:
    source = (Path(__file__).parent / "hostile" / f"{language}.txt").read_text("utf-8")
    for section in re.split(r"^=== ", source, flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        name, outcomes, limits, when = (part.strip() for part in heading.split("|"))
        for forgery, literal in FORGERIES.items():
            text = text.replace(forgery, literal)
        yield HostileProgram(
            language,
            name,
            frozenset(map(Outcome, outcomes.split(", "))),
            frozenset(map(Limit, limits.split(", "))) if limits != "-" else frozenset(),
            when == "quick",
            text.rstrip() + "\n",
        )


PROGRAMS = {language: list(read_programs(language)) for language in Language}


def table(language: Language) -> list[object]:
    return [
        pytest.param(program, id=program.name, marks=() if program.runs_always else pytest.mark.soak)
        for program in PROGRAMS[language]
    ]


@pytest.mark.parametrize("language", list(Language))
def test_there_are_enough_different_attacks(language: Language) -> None:
    names = [program.name for program in PROGRAMS[language]]
    assert len(set(names)) == len(names) >= MINIMUM_PROGRAMS


def check(program: HostileProgram, run: Callable[..., Report], left_behind: Callable[[], list[str]]) -> None:
    solution_name, tests_name, tests = FILES[program.language]
    report = run(program.language, {solution_name: program.text}, {tests_name: tests}, limits=LIMITS)
    assert report.outcome in program.outcomes, report
    assert not program.limits or program.limits & report.limits_hit, report
    assert [result for result in report.results if result.status is TestStatus.PASSED] == []
    assert report.duration_seconds < LIMITS.wall_clock_seconds + SLACK_SECONDS
    assert len(report.output) + sum(len(result.output) for result in report.results) <= LIMITS.output_bytes
    assert left_behind() == []


@pytest.mark.usefixtures("python_engine")
@pytest.mark.parametrize("program", table(Language.PYTHON))
def test_a_hostile_python_program_is_contained_and_reported(
    program: HostileProgram,
    run: Callable[..., Report],
    left_behind: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JIKI_HOSTILE_SECRET", "42")
    check(program, run, left_behind)
    assert not Path("/jiki-was-here").exists()


@pytest.mark.usefixtures("javascript_engine")
@pytest.mark.parametrize("program", table(Language.JAVASCRIPT))
def test_a_hostile_javascript_program_is_contained_and_reported(
    program: HostileProgram,
    run: Callable[..., Report],
    left_behind: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JIKI_HOSTILE_SECRET", "42")
    check(program, run, left_behind)
