"""The account of a run: what a child's messages add up to, and what it is not believed."""

from __future__ import annotations

from typing import Any

import pytest

from jiki_runner.engine.exercise import Exercise, Language
from jiki_runner.engine.ledger import Ending, ProtocolViolation, RunLedger
from jiki_runner.engine.limits import Limit, Limits
from jiki_runner.engine.report import (
    Outcome,
    Place,
    Report,
    TestFinished,
    TestsCollected,
    TestStarted,
    TestStatus,
)

EXERCISE = Exercise(
    Language.PYTHON, {"leap.py": "def leap(year):\n    return year / 0\n"}, {"leap_test.py": "import leap\n"}
)
READY = {"event": "ready", "walls": ["resources"]}
DONE = {"event": "done"}
ENDED = {"event": "ended", "output": "", "limits": []}


def announced(*names: str) -> dict[str, Any]:
    tests = [{"id": n, "name": n, "group": "", "file": "leap_test.py", "line": 1, "task": None} for n in names]
    return {"event": "collected", "tests": tests}


def started(name: str) -> dict[str, Any]:
    return {"event": "started", "id": name}


def finished(name: str, status: str = "passed", **details: Any) -> dict[str, Any]:
    return {"event": "finished", "id": name, "status": status, **details}


def broken(**details: Any) -> dict[str, Any]:
    return {
        "event": "broken",
        "error_type": "NameError",
        "message": "x",
        "places": [],
        "is_solution": True,
        **details,
    }


def report_of(*messages: dict[str, Any], ending: Ending | None = None) -> Report:
    ledger = RunLedger(EXERCISE, Limits())
    for message in messages:
        ledger.apply(message)
    return ledger.close(ending or Ending())


PASSED_A = (announced("a", "b"), started("a"), finished("a"), started("b"))


@pytest.mark.parametrize(
    ("messages", "ending", "outcome"),
    [
        ((*PASSED_A, finished("b"), DONE), Ending(), Outcome.PASSED),
        ((*PASSED_A, finished("b", "skipped"), DONE), Ending(), Outcome.PASSED),
        ((*PASSED_A, finished("b", "failed"), DONE), Ending(), Outcome.FAILED),
        ((*PASSED_A, finished("b", "error"), DONE), Ending(), Outcome.FAILED),
        ((*PASSED_A, finished("b", "timed_out", limit="wall_clock")), Ending(), Outcome.STOPPED),
        ((*PASSED_A, finished("b", "error", limit="memory")), Ending(), Outcome.STOPPED),
        ((*PASSED_A, finished("b", "error", limit="memory"), DONE), Ending(), Outcome.FAILED),
        ((*PASSED_A, finished("b")), Ending(), Outcome.FAULT),  # it never said that it was done
        (
            (announced("a", "b"), started("a"), finished("a"), DONE),
            Ending(),
            Outcome.FAILED,
        ),  # b has no result
        ((*PASSED_A, finished("b"), DONE), Ending(fault="it crashed"), Outcome.FAULT),
        ((*PASSED_A, finished("b"), DONE), Ending(is_cancelled=True), Outcome.CANCELLED),
        (PASSED_A, Ending(limit=Limit.CPU), Outcome.STOPPED),
        (PASSED_A, Ending(limit=Limit.MEMORY), Outcome.STOPPED),
        (PASSED_A, Ending(), Outcome.FAILED),
        ((announced(), DONE), Ending(), Outcome.FAULT),
        ((announced("a"), started("a"), finished("a", "skipped"), DONE), Ending(), Outcome.FAULT),
        ((broken(),), Ending(), Outcome.BROKEN),
        ((broken(is_solution=False),), Ending(), Outcome.FAULT),
        ((broken(limit="wall_clock"),), Ending(), Outcome.STOPPED),
        ((), Ending(), Outcome.FAULT),
    ],
)
def test_the_outcome_follows_from_the_messages_and_the_ending(
    messages: tuple[dict[str, Any], ...], ending: Ending, outcome: Outcome
) -> None:
    assert report_of(READY, *messages, ENDED, ending=ending).outcome is outcome


@pytest.mark.parametrize(
    "messages",
    [
        ({"event": "applause"},),
        ({},),
        (announced("a"), announced("b")),
        (announced("a", "a"),),
        (announced(*map(str, range(2001))),),
        (started("a"),),
        (announced("a"), started("b")),
        (announced("a", "b"), started("a"), started("b")),
        (announced("a", "b"), started("a"), finished("b")),
        (announced("a"), finished("a")),
        (announced("a"), started("a"), finished("a"), started("a")),
        (announced("a"), started("a"), finished("a"), finished("a", "failed")),
        (announced("a"), started("a"), finished("a", "splendid")),
        (announced("a"), started("a"), finished("a", limit="patience")),
        (announced("a"), started("a"), {"event": "finished", "id": "a"}),
        (announced("a"), DONE, started("a")),
        (announced("a"), broken()),
        (broken(), broken()),
        (DONE,),
        ({"event": "collected", "tests": [{"id": "a"}]},),
        ({"event": "ended"},),
        ({"event": "broken"},),
        (READY, READY),
    ],
)
def test_messages_that_do_not_fit_are_refused(messages: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(ProtocolViolation):
        report_of(*messages)


def test_each_message_of_interest_is_told_on() -> None:
    ledger = RunLedger(EXERCISE, Limits())
    told = [ledger.apply(message) for message in (READY, announced("a"), started("a"), finished("a"), DONE, ENDED)]
    assert [type(progress) for progress in told] == [
        type(None),
        TestsCollected,
        TestStarted,
        TestFinished,
        type(None),
        type(None),
    ]


def test_the_running_test_is_the_one_that_timed_out_and_the_rest_has_not_run() -> None:
    report = report_of(
        announced("a", "b", "c"),
        started("a"),
        finished("a"),
        started("b"),
        ending=Ending(limit=Limit.WALL_CLOCK),
    )
    assert [r.status for r in report.results] == [TestStatus.PASSED, TestStatus.TIMED_OUT, TestStatus.NOT_RUN]
    assert report.results[1].message == "The program took longer than 10 seconds."
    assert report.limits_hit == {Limit.WALL_CLOCK}


def test_a_limit_that_only_the_child_told_of_names_the_running_test_too() -> None:
    report = report_of(announced("a"), started("a"), {**ENDED, "limits": ["memory"]})
    assert (report.outcome, report.results[0].status) == (Outcome.STOPPED, TestStatus.ERROR)
    assert report.results[0].message == "The program used more than 128 MB of memory."


def test_places_show_the_line_of_the_learner() -> None:
    report = report_of(
        announced("a"), started("a"), finished("a", "error", places=[["leap.py", 2, "leap"]]), DONE, ENDED
    )
    assert report.results[0].places == (Place("leap.py", 2, "leap", "return year / 0"),)


def test_a_place_in_an_unknown_file_or_line_has_no_text() -> None:
    places = [["other.py", 1, "f"], ["leap.py", 99, "g"]]
    report = report_of(announced("a"), started("a"), finished("a", "error", places=places), DONE)
    assert [place.text for place in report.results[0].places] == ["", ""]


def test_a_syntax_error_has_its_line_and_column() -> None:
    syntax = {"file": "leap.py", "line": 1, "column": 5, "text": "def leap(year):"}
    report = report_of(broken(error_type="SyntaxError", message="invalid syntax", syntax=syntax), ENDED)
    assert report.breakage is not None
    assert (report.breakage.places[-1].line, report.breakage.column) == (1, 5)
    assert report.breakage.places[-1].text == "def leap(year):"


def test_a_syntax_error_in_the_test_file_is_not_the_learners() -> None:
    syntax = {"file": "leap_test.py", "line": 1, "column": 1, "text": "imprt leap"}
    report = report_of(broken(is_solution=False, syntax=syntax), ENDED)
    assert report.outcome is Outcome.FAULT
    assert "test file" in report.message


def test_the_summary_counts_every_test_once() -> None:
    report = report_of(
        announced("a", "b", "c", "d", "e"),
        *(started("a"), finished("a"), started("b"), finished("b", "failed"), started("c")),
        *(finished("c", "skipped"), started("d"), finished("d", "error")),
    )
    summary = report.summary
    assert (summary.total, summary.passed, summary.failed, summary.skipped, summary.not_run) == (
        5,
        1,
        2,
        1,
        1,
    )
