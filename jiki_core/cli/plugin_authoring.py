"""`flask plugins new`: a complete, working distribution to start from."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

import click

from jiki_core.plugins.manifest import RESERVED_NAMES
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
