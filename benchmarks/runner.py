"""runner: test runs per second and core, memory per run, and the time from a submission to its first result and its end.

The engine's figures are taken beside nothing else, as many runs at a time as there are cores. The times are those of a
learner at a socket: POST to `web` (gunicorn), a worker of the queue `untrusted`, messages on SubmissionChannel.
"""

from __future__ import annotations

import json
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import websocket

from benchmarks.harness import gunicorn
from benchmarks.stage import ROOT
from jiki_core.app import create_app
from jiki_core.devserver.services import temporary_services
from jiki_core.settings import Sources
from jiki_core.testing.databases import migrate
from jiki_learning.content.course import ExerciseContent, ExerciseFile, FileRole
from jiki_learning.testing import course, import_into, lesson, level, make_learner
from jiki_runner.engine import Exercise, Language, Outcome, prepare_engine, start_run

ENGINE_DIRECTORY = ROOT / ".cache" / "runner"
SOLUTIONS = {
    Language.PYTHON: (
        "leap.py",
        "def leap(year):\n    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)\n",
    ),
    Language.JAVASCRIPT: ("leap.js", "exports.leap = (y) => y % 4 === 0 && (y % 100 !== 0 || y % 400 === 0);\n"),
}
YEARS = ((1996, True), (1997, False), (1900, False), (2000, True), (2024, True), (2023, False))
TESTS = {
    Language.PYTHON: (
        "leap_test.py",
        "import unittest\nfrom leap import leap\nclass LeapTest(unittest.TestCase):\n"
        + "".join(
            f"    def test_{year}(self):\n        self.assertIs(leap({year}), {is_leap})\n" for year, is_leap in YEARS
        ),
    ),
    Language.JAVASCRIPT: (
        "leap.test.js",
        'const { leap } = require("./leap");\n'
        + "".join(
            f'test("{year}", () => expect(leap({year})).toBe({str(is_leap).lower()}));\n' for year, is_leap in YEARS
        ),
    ),
}


def run(seconds: float, rounds: int) -> dict[str, Any]:
    cores = len(os.sched_getaffinity(0))
    found: dict[str, Any] = {"cpus": cores}
    for language in Language:
        prepare_engine(language, ENGINE_DIRECTORY)
    for language in Language:
        found[f"engine_{language}"] = _engine(language, seconds * rounds, cores)
    with temporary_services() as services:
        environment = {
            "JIKI_ENV": "test",
            "JIKI_PLUGINS_ENABLED": "auth,learning,runner",
            "DATABASE_URL": services.create_database("jiki_benchmark"),
            "REDIS_URL": services.redis_url_of(0),
            "JIKI_LOG_LEVEL": "WARNING",
            "JIKI_RUNNER_ENGINE_DIRECTORY": str(ENGINE_DIRECTORY),
        }
        app = create_app("web", sources=Sources({}, environment))
        migrate(app)
        lessons = [lesson(f"leap-{language}", exercise=_material(language), is_optional=True) for language in Language]
        import_into(app, course(level("years", *lessons)))
        user = make_learner(app).user
        with gunicorn("web", "wsgi:app", environment, ROOT) as web, _worker(environment):
            body = {"email": user.email, "password": user.password}
            answer = requests.post(f"{web.url}/api/v1/auth/token", json=body, timeout=10)
            headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
            for language in Language:
                found[f"submission_{language}"] = _submissions(web.url, headers, language, 5 * rounds)
    return found


def _engine(language: Language, seconds: float, cores: int) -> dict[str, Any]:
    exercise = Exercise(language, dict([SOLUTIONS[language]]), dict([TESTS[language]]))
    stop = time.perf_counter() + seconds

    def work(_: int) -> list[float]:
        own: list[float] = []
        while time.perf_counter() < stop:
            report = start_run(exercise, engine_directory=ENGINE_DIRECTORY).result(60)
            if report.outcome is not Outcome.PASSED:
                raise RuntimeError(f"{language}: {report}")
            own.append(report.duration_seconds)
        return own

    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with ThreadPoolExecutor(cores) as pool:
        durations = sorted(value for own in pool.map(work, range(cores)) for value in own)
    elapsed, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    return {
        "runs": len(durations),
        "runs_per_second_and_core": round(len(durations) / elapsed / cores, 2),
        "cpu_seconds_per_run": round(used / len(durations), 3),
        "run_p50_ms": round(statistics.median(durations) * 1000),
        "run_p99_ms": round(_percentile(durations, 99) * 1000),
        "peak_megabytes_median": round(statistics.median(_peak_megabytes(exercise) for _ in range(5))),
    }


def _peak_megabytes(exercise: Exercise) -> float:
    """Of one run's process, as the kernel keeps it (VmHWM); getrusage would count its parent before the exec."""
    handle, peak = start_run(exercise, engine_directory=ENGINE_DIRECTORY), 0
    while not handle.is_done:
        for task in Path("/proc/self/task").iterdir():
            for child in (task / "children").read_text().split():
                peak = max(peak, _high_water_kilobytes(child))
        time.sleep(0.005)  # between two looks
    return peak / 1024


def _high_water_kilobytes(pid: str) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        is_ours = "jiki_runner" in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) if found and is_ours else 0


def _material(language: Language) -> ExerciseContent:
    (name, _), (test_name, tests) = SOLUTIONS[language], TESTS[language]
    files = (ExerciseFile(name, FileRole.STUB, ""), ExerciseFile(test_name, FileRole.TEST, tests))
    return ExerciseContent("Leap", "Leap years.", files)


def _submissions(url: str, headers: Mapping[str, str], language: Language, count: int) -> dict[str, Any]:
    """One after the other, so that nobody waits for a place in the queue."""
    slug, (name, code) = f"leap-{language}", SOLUTIONS[language]
    comment = "#" if language is Language.PYTHON else "//"
    token = requests.post(f"{url}/api/v1/internal/cable_token", headers=headers, timeout=10).json()["token"]
    socket = websocket.create_connection(
        f"{url.replace('http', 'ws', 1)}/cable?jid={token}", subprotocols=["actioncable-v1-ext-json"], timeout=60
    )
    identifier = json.dumps({"channel": "SubmissionChannel", "lesson_slug": slug})
    first, whole, accepted = [], [], []
    try:
        socket.send(json.dumps({"command": "subscribe", "identifier": identifier}))
        for number in range(-1, count):  # the first one warms up
            files = [{"filename": name, "code": f"{code}{comment} {number}\n"}]
            path = f"{url}/api/v1/internal/lessons/{slug}/exercise_submissions"
            began = time.perf_counter()
            answer = requests.post(path, json={"submission": {"files": files}}, headers=headers, timeout=60)
            answered = time.perf_counter() - began
            if answer.status_code != 201:
                raise RuntimeError(answer.text)
            moments = {one: moment - began for one, moment in _moments(socket)}
            if number >= 0:
                accepted.append(answered)
                first.append(moments["result"])
                whole.append(moments["finished"])
    finally:
        socket.close()
    return {
        "submissions": count,
        **_spread("accepted", accepted),
        **_spread("first_result", first),
        **_spread("finished", whole),
    }


def _moments(socket: websocket.WebSocket) -> Iterator[tuple[str, float]]:
    """When the first result came, and when the run was over."""
    seen: set[str] = set()
    while "finished" not in seen:
        frame = json.loads(socket.recv())
        kind = (frame.get("message") or {}).get("type") if isinstance(frame.get("message"), dict) else None
        if kind in ("result", "finished") and kind not in seen:
            seen.add(kind)
            yield kind, time.perf_counter()


def _spread(name: str, values: Sequence[float]) -> dict[str, int]:
    return {
        f"{name}_p50_ms": round(statistics.median(values) * 1000),
        f"{name}_p99_ms": round(_percentile(sorted(values), 99) * 1000),
    }


def _percentile(ordered: Sequence[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


@contextmanager
def _worker(environment: Mapping[str, str]) -> Iterator[None]:
    command = [sys.executable, "-m", "flask", "--app", "jiki_core", "jobs"]
    processes = [
        subprocess.Popen([*command, *more], cwd=Path(ROOT), env={**os.environ, **environment})
        for more in (["worker", "--queue", "untrusted"], ["scheduler"])
    ]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=60)
