"""Lints the SQL of every revision with squawk, and keeps application code out of migrations. Exits with 1 on a finding."""

from __future__ import annotations

import ast
import io
import shutil
import subprocess
import sys
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine

from jiki_core.db.migration_sets import MigrationSet, alembic_config, core_set, set_of_package

PLUGINS = ("auth", "learning", "payments", "i18n", "runner")
#: rules that do not fit: identity keys are bigint already; text is the house's string; first tables are empty
EXCLUDED = (
    "prefer-robust-stmts",
    "prefer-text-field",
    "prefer-bigint-over-int",  # counts and positions, not keys
    "prefer-bigint-over-smallint",
    "ban-char-field",  # country codes and digests have a fixed length
    "require-timeout-settings",  # set by `flask db upgrade` on its connection
    "ban-drop-table",  # only downgrades drop tables, and they are asked for by name
)
ALLOWED_IMPORTS = {"alembic", "sqlalchemy", "__future__", "jiki_core"}


def sets() -> list[MigrationSet]:
    found = [set_of_package(name, f"jiki_{name}") for name in PLUGINS]
    return [core_set(), *(one for one in found if one is not None)]


def sql_of(one: MigrationSet, before: str | None, revision: str) -> str:
    """The statements of one revision, without touching a database."""
    engine = create_engine("postgresql+psycopg://")
    config = alembic_config(one, None)
    config.output_buffer = io.StringIO()
    command.upgrade(config, f"{before or 'base'}:{revision}", sql=True)
    engine.dispose()
    return config.output_buffer.getvalue()


def foreign_imports(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return [name for name in names if name.partition(".")[0] not in ALLOWED_IMPORTS - {"jiki_core"}]


def main() -> int:
    squawk = Path(sys.executable).with_name("squawk")
    binary = str(squawk) if squawk.exists() else shutil.which("squawk")
    if binary is None:
        print("squawk is not installed; run bin/test once", file=sys.stderr)
        return 1
    failed = False
    count = 0
    for one in sets():
        for path in one.versions.glob("*.py"):
            for name in foreign_imports(path):
                print(f"{path}: imports {name}; migrations import no application code", file=sys.stderr)
                failed = True
        before: str | None = None
        for revision in one.revisions():
            done = subprocess.run(
                [
                    binary,
                    "--pg-version=18",
                    "--reporter=gcc",
                    f"--exclude={','.join(EXCLUDED)}",
                    f"--stdin-filepath={revision}.sql",
                ],
                input=sql_of(one, before, revision),
                capture_output=True,
                text=True,
                check=False,
            )
            count += 1
            if done.returncode:
                print(done.stdout + done.stderr)
                failed = True
            before = revision
    print(f"{count} revisions linted")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
