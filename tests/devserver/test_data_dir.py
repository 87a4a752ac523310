"""The data folder: one stack at a time, known to `bin/flask`, and reset without touching what is not ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jiki_core.devserver import ServiceError
from jiki_core.devserver.data_dir import DataDir
from jiki_core.devserver.flask_command import needs_services
from jiki_core.devserver.preparation import Preparation, forget_preparation


def test_a_stack_is_found_by_its_folder_until_it_leaves(tmp_path: Path) -> None:
    folder = DataDir(tmp_path / "new" / ".jiki")
    assert folder.running_stack() is None
    folder.take()
    folder.announce("http://localhost:4321", {"JIKI_PUBLIC_URL": "http://localhost:4321"})
    found = DataDir(folder.path).running_stack()
    folder.leave()
    assert found is not None
    assert found.environment == {"JIKI_PUBLIC_URL": "http://localhost:4321"}
    assert DataDir(folder.path).running_stack() is None


def test_a_second_stack_on_the_same_folder_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from jiki_core.devserver.data_dir import DataDir\n"
        "folder = DataDir(pathlib.Path(sys.argv[1])); folder.take(); folder.announce('http://localhost:4321', {})\n"
        "print('taken', flush=True); sys.stdin.read()"
    )
    # The name of the module stands for a stack's command line.
    command = [sys.executable, "-c", script, str(tmp_path), "jiki_core.devserver.stack"]
    first = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert first.stdout
    assert first.stdout.readline() == "taken\n"
    second = DataDir(tmp_path)
    with pytest.raises(ServiceError, match=rf"already running .*http://localhost:4321 \(process {first.pid}\)"):
        second.take()
    second.leave()
    assert second.running_stack() is not None
    first.kill()
    first.communicate()
    second.take()  # the lock went with its holder
    second.leave()


def test_a_reset_deletes_what_is_ours_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    (tmp_path / "mail" / "new").mkdir(parents=True)
    (tmp_path / "mail" / "new" / "1").write_text("a message")
    (tmp_path / "prepared.json").write_text("{}")
    folder = DataDir(tmp_path)
    folder.take()
    folder.reset()
    folder.leave()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["stack.lock", "thesis.txt"]


@pytest.mark.parametrize(
    ("arguments", "is_needed"),
    [
        ([], False),
        (["--help"], False),
        (["learning", "import", "--help"], False),
        (["plugins", "list", "--json"], False),
        (["plugins", "pause", "payments"], True),
        (["config", "show"], False),
        (["db", "upgrade"], True),
        (["auth", "create-user", "--email", "a@example.org"], True),
    ],
)
def test_servers_are_started_for_commands_that_need_them(arguments: list[str], is_needed: bool) -> None:
    assert needs_services(arguments) is is_needed


def test_preparation_is_skipped_until_a_migration_or_seed_changes(tmp_path: Path) -> None:
    project, data_dir = tmp_path / "project", tmp_path / "data"
    versions = project / "plugins" / "jiki_learning" / "jiki_learning" / "migrations" / "versions"
    versions.mkdir(parents=True)
    data_dir.mkdir()
    ran: list[str] = []

    def prepare(database: str = "embedded", *, is_embedded: bool = True) -> list[str]:
        ran.clear()
        Preparation(project, data_dir, database, is_embedded=is_embedded).run(
            lambda title, arguments: ran.append(" ".join(arguments))
        )
        return list(ran)

    everything = ["db upgrade", "seed"]
    assert prepare() == everything
    assert prepare() == []
    (versions / "0002_more.py").write_text("revision = '0002'")
    assert prepare() == everything
    assert prepare("another cluster") == everything
    forget_preparation(data_dir)
    assert prepare("another cluster") == everything
    assert prepare("the user's own", is_embedded=False) == everything
    assert prepare("the user's own", is_embedded=False) == everything
