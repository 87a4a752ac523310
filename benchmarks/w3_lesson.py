"""W3: one lesson, authenticated by a bearer token, against bare Flask with SQLAlchemy rows on the same table."""

from __future__ import annotations

from typing import Any

from benchmarks.harness import compare, gunicorn
from benchmarks.peers.bare_flask import token_for
from benchmarks.stage import ROOT, staged

SLUG = "maze-solve-basic"


def run(seconds: float, rounds: int) -> dict[str, Any]:
    with (
        staged() as stage,
        gunicorn("bare flask", "benchmarks.peers.bare_flask:app", stage.environment, ROOT) as peer,
        gunicorn("jiki", "wsgi:app", {**stage.environment, "JIKI_ROLE": "web"}, ROOT) as ours,
    ):
        peer_headers = {"Authorization": f"Bearer {token_for(stage.user_id)}"}
        our_headers = {"Authorization": f"Bearer {stage.access_token}"}
        return compare(
            [(peer, f"/lessons/{SLUG}", peer_headers), (ours, f"/api/v1/internal/lessons/{SLUG}", our_headers)],
            seconds,
            rounds,
        )
