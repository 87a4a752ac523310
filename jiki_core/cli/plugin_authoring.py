"""`flask plugins new` writes a complete, working distribution; `flask plugins check PATH` goes through the checklist."""

from __future__ import annotations

import json
import keyword
import re
from pathlib import Path

import click

from jiki_core.cli.plugin_host import the_host
from jiki_core.cli.plugin_selection import picture_with
from jiki_core.plugins.manifest import RESERVED_NAMES
from jiki_core.plugins.quality import Finding, NoPlugin, findings, read_distribution, tests_pass
from jiki_core.plugins.resolve import requirement_names
from jiki_core.plugins.state import PluginState
from jiki_core.version import __version__

TEMPLATE = Path(__file__).parent.parent / "scaffold"
_PACKAGE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")


@click.command("new")
@click.argument("package")
@click.option("--plugin", help="Name of the plugin; what follows the first underscore of PACKAGE by default.")
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Parent folder.")
def new_command(package: str, plugin: str | None, into: Path) -> None:
    """Write the distribution PACKAGE, such as acme_badges: a plugin with every part, and tests that pass."""
    if not _PACKAGE.fullmatch(package):
        raise click.ClickException(f"{package} must be small letters with a prefix of yours, such as acme_badges")
    name = plugin or package.partition("_")[2]
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,30}", name) or name in RESERVED_NAMES or keyword.iskeyword(name):
        raise click.ClickException(f"a plugin cannot be called {name}; choose another name with --plugin")
    target = into / package
    if target.exists():
        raise click.ClickException(f"{target} exists already")
    try:
        from copier import run_copy
    except ModuleNotFoundError:
        raise click.ClickException("this needs copier; install jiki-core[dev]") from None
    run_copy(
        str(TEMPLATE),
        target,
        data={
            "package": package,
            "plugin": name,
            "distribution": package.replace("_", "-"),
            "class_name": "".join(part.capitalize() for part in name.split("_")),
            "core_version": ".".join(__version__.split(".")[:2]),
        },
        quiet=True,
        defaults=True,
    )
    click.echo(f"{target} is written; next: cd {target} && pip install -e '.[dev]' && pytest")


def check_distribution(root: Path, *, with_tests: bool, as_json: bool) -> None:
    """Goes through the checklist of a good plugin; fails when a point does not hold."""
    try:
        one = read_distribution(root)
    except NoPlugin as error:
        raise click.ClickException(str(error)) from error
    found = the_host().discovered.get(one.plugin)
    if found is None:
        raise click.ClickException(f"{one.plugin} is not installed here; run: pip install -e {root}")
    requires = _requires_of(one.plugin)
    told = picture_with([*requires, one.plugin])
    status = told["states"][one.plugin]
    points = [
        Finding("it runs with what it requires")
        if status["state"] == PluginState.RUNNING
        else Finding("it runs with what it requires", f"{status['state']}: {status['cause']}; {status['remedy']}"),
        *findings(one, tuple(status["requires"]), tuple(status["uses"])),
    ]
    if with_tests:
        points.append(tests_pass(one))
    if as_json:
        listed = [{"point": point.point, "holds": point.holds, "remedy": point.remedy} for point in points]
        click.echo(json.dumps({"plugin": one.plugin, "points": listed}))
    for point in points if not as_json else ():
        click.echo(f"{'ok  ' if point.holds else 'FAIL'} {point.point}" + ("" if point.holds else f": {point.remedy}"))
    if not all(point.holds for point in points):
        raise SystemExit(1)


def _requires_of(name: str) -> list[str]:
    """Names that a plugin requires, transitively, dependencies first."""
    found: list[str] = []
    for needed in requirement_names(picture_with([name])["states"][name]["requires"]):
        if needed in the_host().discovered and needed not in found:
            found += [one for one in (*_requires_of(needed), needed) if one not in found]
    return found
