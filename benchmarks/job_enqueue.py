"""What enqueueing costs inside a request: one row with 0, 1 and 5 jobs, against bare Flask with plain RQ."""

from __future__ import annotations

from typing import Any

from benchmarks.harness import compare, gunicorn
from benchmarks.job_stage import staged_jobs
from benchmarks.stage import ROOT

JOBS = (0, 1, 5)


def run(seconds: float, rounds: int) -> dict[str, Any]:
    """The queues are emptied beside, so that every job is handed over; each address is another network's."""
    with (
        staged_jobs() as stage,
        stage.emptied_queues(),
        gunicorn("plain RQ", "benchmarks.peers.plain_rq:app", stage.environment, ROOT) as peer,
        gunicorn("jiki", "wsgi:app", {**stage.environment, "JIKI_ROLE": "web"}, ROOT) as ours,
    ):
        headers = {"Content-Type": "application/json"}
        found = {}
        for jobs in JOBS:
            stage.empty()
            found[f"{jobs} jobs"] = compare(
                [(peer, f"/bench/{jobs}", headers), (ours, f"/api/v1/external/bench/{jobs}", headers)],
                seconds,
                rounds,
                method="POST",
            )
    return {**found, "added_cpu_us_per_job": _added(found)}


def _added(found: dict[str, Any]) -> dict[str, float]:
    """Server CPU that the fifth, fourth, … job adds, on average."""

    def cost(name: str, jobs: int) -> float:
        return float(found[f"{jobs} jobs"][name]["server_cpu_us_per_request"])

    return {name: round((cost(name, 5) - cost(name, 0)) / 5, 1) for name in ("plain RQ", "jiki")}
