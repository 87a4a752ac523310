"""W1: a route without a database, all our layers on, against bare Flask on the same server (P6: at least 0.8)."""

from __future__ import annotations

from typing import Any

from benchmarks.harness import compare, gunicorn
from benchmarks.stage import ROOT, staged


def run(seconds: float, rounds: int) -> dict[str, Any]:
    with (
        staged() as stage,
        gunicorn("bare flask", "benchmarks.peers.bare_flask:app", stage.environment, ROOT) as peer,
        gunicorn("jiki", "wsgi:app", {**stage.environment, "JIKI_ROLE": "web"}, ROOT) as ours,
    ):
        return compare([(peer, "/health-check", {}), (ours, "/health-check", {})], seconds, rounds)
