"""The checklist of a good plugin, made executable: what `flask plugins check PATH` looks at in a distribution's folder."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from jiki_core.plugins.discovery import GROUP

_LONGEST_TESTS_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Finding:
    """One point of the list. `remedy` is empty when it holds."""

    point: str
    remedy: str = ""

    @property
    def holds(self) -> bool:
        return not self.remedy


@dataclass(frozen=True)
class Distribution:
    """What a folder says of its plugin."""

    root: Path
    project: Mapping[str, Any]
    plugin: str
    package: str


class NoPlugin(Exception):
    """The folder holds no plugin; says why and what to do."""


def read_distribution(root: Path) -> Distribution:
    """Raises NoPlugin."""
    file = root / "pyproject.toml"
    if not file.is_file():
        raise NoPlugin(f"{file} is missing; give the folder of the plugin's distribution")
    try:
        project = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
    except tomllib.TOMLDecodeError as error:
        raise NoPlugin(f"{file} is not valid TOML: {error}") from error
    entries = project.get("entry-points", {}).get(GROUP, {})
    if len(entries) != 1:
        raise NoPlugin(f'{file} needs one entry under [project.entry-points."{GROUP}"]; it has {len(entries)}')
    name, target = next(iter(entries.items()))
    return Distribution(root, project, name, target.partition(".")[0].partition(":")[0])


def findings(one: Distribution, requires: tuple[str, ...], uses: tuple[str, ...]) -> Iterator[Finding]:
    """What can be said without running the plugin; `requires` and `uses` are its manifest's."""
    for file, why in (
        ("README.md", "say what it does, what it requires and how to enable it"),
        ("CHANGELOG.md", "its first line says what the newest release is about"),
        (f"{one.package}/py.typed", "an empty file tells type checkers to look"),
    ):
        yield _holds(f"{file} is there", (one.root / file).is_file(), f"add {file}: {why}")
    tests = [*one.root.glob("tests/**/test_*.py")]
    yield _holds("it has tests", bool(tests), "add tests/test_….py; jiki_core.testing brings the services")
    tried = _names_in(tests)
    yield _holds(
        "its tests inherit the checks of every plugin (migrations down and up, routes documented, …)",
        "PluginConformance" in tried,
        "add `class TestConformance(PluginConformance): plugin = plugin` (jiki_core.testing)",
    )
    if {"paginate", "reply_page"} & _names_in((one.root / one.package).rglob("*.py")):
        yield _holds(
            "its tests count the queries of its lists",
            "count_queries" in tried,
            "add a test that a long list takes no more queries than a short one, with count_queries (jiki_core.testing)",
        )
    yield _changelog(one)
    yield _requirements(one, requires)
    yield _extras(one, uses)
    yield _public_names(one)
    yield _plain_migrations(one)


def tests_pass(one: Distribution) -> Finding:
    """Runs its tests in a process of their own, as its author does."""
    point = "its tests pass"
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q"],
            cwd=one.root,
            capture_output=True,
            text=True,
            timeout=_LONGEST_TESTS_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Finding(point, f"they take longer than {_LONGEST_TESTS_SECONDS} s; run pytest in {one.root}")
    said = (done.stdout.strip() or done.stderr.strip() or "pytest said nothing").splitlines()[-1]
    return _holds(
        f"{point} ({said})" if done.returncode == 0 else point, done.returncode == 0, f"run pytest there: {said}"
    )


def _names_in(paths: Iterable[Path]) -> set[str]:
    """Names that modules import."""
    return {
        alias.name
        for path in paths
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _changelog(one: Distribution) -> Finding:
    version = one.project.get("version")
    file = one.root / "CHANGELOG.md"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return _holds(
        "its changelog tells of this version",
        version is None or any(line.split()[1:2] == [version] for line in text.splitlines() if line.startswith("## ")),
        f"begin a section `## {version}` in CHANGELOG.md",
    )


def _extras(one: Distribution, uses: tuple[str, ...]) -> Finding:
    """Who wants what a plugin uses can ask pip for it by its name."""
    extras = one.project.get("optional-dependencies", {})
    missing = [name for name in (Requirement(text).name for text in uses) if name not in extras]
    return _holds(
        "what it uses is an extra of its wheel",
        not missing,
        f"add {', '.join(missing)} to [project.optional-dependencies], each with the wheel of that plugin",
    )


def _requirements(one: Distribution, requires: tuple[str, ...]) -> Finding:
    """The wheel must bring what the manifest requires."""
    declared = set()
    for text in one.project.get("dependencies", []):
        try:
            declared.add(Requirement(text).name.replace("_", "-").lower())
        except InvalidRequirement:
            return Finding("its dependencies can be read", f"correct the dependency {text!r} in pyproject.toml")
    names = [Requirement(text).name.replace("_", "-") for text in requires]
    missing = [name for name in names if not any(wheel.endswith(f"-{name}") or wheel == name for wheel in declared)]
    if "jiki-core" not in declared:
        missing.append("core")
    return _holds(
        "its wheel depends on what its manifest requires",
        not missing,
        f"add the wheels of {', '.join(missing)} to [project] dependencies",
    )


def _public_names(one: Distribution) -> Finding:
    """Of the core, only what a room's `__init__` or a public module offers."""
    wrong = []
    for path in sorted((one.root / one.package).rglob("*.py")):
        for module, name, line in _core_imports(path):
            try:
                offered = importlib.import_module(module)
            except ImportError:
                wrong.append(f"{path.relative_to(one.root)}:{line}: {module} does not exist")
                continue
            is_offered = name in getattr(offered, "__all__", vars(offered)) or _is_module(f"{module}.{name}")
            if name.startswith("_") or not is_offered:
                wrong.append(f"{path.relative_to(one.root)}:{line}: {module}.{name} is not public")
    return _holds("it imports public names of the core only", not wrong, "; ".join(wrong))


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _core_imports(path: Path) -> Iterator[tuple[str, str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "jiki_core":
            for alias in node.names:
                yield node.module or "", alias.name, node.lineno


def _plain_migrations(one: Distribution) -> Finding:
    """A revision that imports the code it migrates breaks as soon as that code moves on."""
    wrong = []
    for path in sorted((one.root / one.package / "migrations" / "versions").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            wrong += [f"{path.name} imports {name}" for name in modules if name.partition(".")[0] in _application(one)]
    return _holds("its migrations import no application code", not wrong, "; ".join(wrong))


def _application(one: Distribution) -> tuple[str, str]:
    return (one.package, "jiki_core")


def _holds(point: str, does: bool, remedy: str) -> Finding:
    return Finding(point) if does else Finding(point, remedy)
