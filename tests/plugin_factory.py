"""Makes installable plugins for tests: a package and its metadata in a folder that goes on PYTHONPATH."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FLASK = [sys.executable, "-m", "flask", "--app", "jiki_core"]

PLUGIN = """
from __future__ import annotations
from collections.abc import Sequence
from typing import Any
from jiki_core.plugins import *
from jiki_core.http import Blueprint, policy, reply
from jiki_core.security import public

class ThePlugin(Plugin):
    name = {name!r}
    {attributes}

{body}

plugin = ThePlugin()
"""


@dataclass
class PluginFolder:
    """A folder of made-up distributions, each `acme_<name>`."""

    path: Path
    names: list[str] = field(default_factory=list)

    def add(
        self,
        name: str,
        body: str = "    pass",
        *,
        attributes: str = "",
        version: str = "1.0.0",
        source: str | None = None,
        files: dict[str, str] | None = None,
    ) -> None:
        """`body` is the class's (indented by four); `source` replaces the whole module instead."""
        package = self.path / f"acme_{name}"
        package.mkdir()
        (package / "__init__.py").write_text("")
        text = source if source is not None else PLUGIN.format(name=name, body=body, attributes=attributes)
        (package / "plugin.py").write_text(textwrap.dedent(text))
        for file, content in (files or {}).items():
            target = package / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(textwrap.dedent(content))
        metadata = self.path / f"acme_{name}-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: acme-{name}\nVersion: {version}\nSummary: A plugin made for a test\n"
        )
        (metadata / "entry_points.txt").write_text(f"[jiki.plugins]\n{name} = acme_{name}.plugin:plugin\n")
        self.names.append(name)

    def environment(self, *, enabled: list[str] | None = None, **settings: str) -> dict[str, str]:
        """The environment of a process that sees these plugins, with `enabled` (default: all of them) listed."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("JIKI_")}
        return {
            **inherited,
            "PYTHONPATH": str(self.path),
            "JIKI_ENV": "development",
            "JIKI_PLUGINS_ENABLED": ",".join(self.names if enabled is None else enabled),
            "JIKI_LOG_LEVEL": "ERROR",
            **settings,
        }

    def flask(
        self, *arguments: str, enabled: list[str] | None = None, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs a flask command in a process of its own, away from the repository."""
        return subprocess.run(
            [*FLASK, *arguments],
            cwd=self.path,
            env=self.environment(enabled=enabled, **settings),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def states(self, *, enabled: list[str] | None = None, **settings: str) -> dict[str, dict[str, Any]]:
        """What `flask plugins list --json` says, by plugin."""
        done = self.flask("plugins", "list", "--json", enabled=enabled, **settings)
        assert done.returncode == 0, done.stderr
        return {one["name"]: one for one in json.loads(done.stdout)["plugins"]}
