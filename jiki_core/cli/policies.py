"""`flask policies`: who may call what and how often, as the guard applies it; as Markdown it is docs/access-matrix.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from jiki_core.http.mounts import Mounted
from jiki_core.http.rate_limits import class_of
from jiki_core.runtime import Runtime, runtime_of
from jiki_core.security import Identity

#: what the file in `docs` is made by
REGENERATE = "JIKI_ENV=test bin/flask policies --markdown > docs/access-matrix.md"
_SOMEBODY = Identity(0, "session")


@dataclass(frozen=True, slots=True)
class Access:
    """One route, and who may call it."""

    methods: str
    rule: str
    plugin: str
    policy: str
    #: roles that may call it from the start
    roles: str
    rate_class: str
    reason: str


def accesses(app: Flask) -> list[Access]:
    """Every guarded route, by path and methods."""
    return sorted(_accesses(app), key=lambda one: (one.rule, one.methods))


def _accesses(app: Flask) -> Iterator[Access]:
    at = runtime_of(app)
    for rule in app.url_map.iter_rules():
        known = at.mounted.get(rule.endpoint)
        if known is None:
            continue
        methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        caller = _SOMEBODY if known.policy.kind in ("signed_in", "permission") else None
        view = app.view_functions[rule.endpoint]
        limits = dict.fromkeys(class_of(known, method, caller, view) for method in methods)
        yield Access(
            methods="/".join(methods),
            rule=rule.rule,
            plugin=known.plugin,
            policy=known.policy.describe(),
            roles=_roles(at, known),
            rate_class="/".join(limits),
            reason=known.policy.reason,
        )


def _roles(at: Runtime, mounted: Mounted) -> str:
    if mounted.policy.kind == "permission":
        permission = at.permissions.get(mounted.policy.permission or "")
        return ", ".join(permission.roles) if permission else ""
    return {"public": "everybody", "signed_in": "everybody signed in"}.get(mounted.policy.kind, "its sender")


def as_markdown(found: list[Access]) -> str:
    """The page of the documentation."""
    lines = [
        "# Access matrix",
        "",
        f"Who may call what, and in which class of `docs/operations.md` it counts. Made by `{REGENERATE}`;",
        "`tests/security/test_access_matrix.py` holds it to the code, so that a change of access is seen in review.",
        "",
        "| methods | route | owner | policy | roles | limit | reason |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in found:
        cells = (one.methods, f"`{one.rule}`", one.plugin, one.policy, one.roles, one.rate_class, one.reason)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") or " " for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def as_text(found: list[Access]) -> str:
    """For a terminal."""
    rows = []
    for one in found:
        reason = f"  # {one.reason}" if one.reason else ""
        row = f"{one.methods:<14} {one.rule:<66} {one.plugin:<10} {one.rate_class:<10} {one.policy}{reason}"
        rows.append(row + "\n")
    return "".join(rows)


@click.command("policies")
@click.option("--markdown", is_flag=True, help="As the page of the documentation.")
@with_appcontext
def cli(markdown: bool) -> None:
    """Print every route with its owner, rate class and policy; one that has a reason for it says so."""
    found = accesses(current_app._get_current_object())  # type: ignore[attr-defined]  # the proxy's own method
    click.echo(as_markdown(found) if markdown else as_text(found), nl=False)
