"""The committed access matrix is what the code says: a changed policy is a changed line in review (trust.md 1.4)."""

from __future__ import annotations

import difflib
from pathlib import Path

from flask import Flask

from jiki_core.cli.policies import REGENERATE, accesses, as_markdown, as_text, cli

MATRIX = Path(__file__).resolve().parents[2] / "docs" / "access-matrix.md"


def test_the_committed_matrix_is_what_the_code_says(app: Flask):
    committed, said = MATRIX.read_text(encoding="utf-8"), as_markdown(accesses(app))
    changes = "\n".join(difflib.unified_diff(committed.splitlines(), said.splitlines(), "committed", "code", "", "", 0))
    assert committed == said, f"access changed; if that is meant, run\n\n    {REGENERATE}\n\n{changes}"


def test_a_changed_policy_would_be_seen(app: Flask):
    """The page names for each route who may call it; two routes with different policies differ."""
    by_route = {(one.methods, one.rule): one for one in accesses(app)}
    assert by_route["GET", "/api/v1/internal/me"].roles == "learner, admin"
    assert by_route["GET", "/api/v1/admin/users"].roles == "admin"
    assert by_route["POST", "/api/v1/auth/login"].roles == "everybody"
    assert by_route["POST", "/api/v1/webhooks/ses"].policy == "signature verify_sns"
    assert by_route["GET", "/api/v1/external/concepts/<slug>"].rate_class == "unlimited"
    assert by_route["PATCH/PUT", "/api/v1/internal/profile/avatar"].rate_class == "expensive"


def test_the_command_prints_the_page(app: Flask):
    runner = app.test_cli_runner()
    assert runner.invoke(cli, ["--markdown"]).output == as_markdown(accesses(app))
    assert runner.invoke(cli, []).output == as_text(accesses(app))
