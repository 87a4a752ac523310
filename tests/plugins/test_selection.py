"""`flask plugins enable|disable`: shows what changes, asks, and edits jiki.toml without touching anything else in it."""

from __future__ import annotations

import textwrap

import pytest

from jiki_core.cli.plugin_selection import write_selection
from jiki_core.plugins.description import differences
from jiki_core.plugins.lifecycle import changes_between
from tests.plugin_factory import PluginFolder
from tests.plugins.test_pausing import BELL, WORK

CONFIG = """\
# what we run
[plugins]
enabled = [
    "tower",  # the tall one
]
required = []

[core]
log_level = "ERROR"  # quiet
"""


@pytest.fixture
def folder(tmp_path):
    made = PluginFolder(tmp_path)
    made.add("bell", BELL, files={"work.py": WORK})
    made.add("tower")
    made.add("clock", attributes='requires = ("bell>=1.0",)')
    (tmp_path / "jiki.toml").write_text(CONFIG)
    return made


def flask(folder, *arguments, input_text=None, **settings):
    """With the selection of the file: no variable may win over it."""
    import subprocess

    from tests.plugin_factory import FLASK

    environment = folder.environment(**settings)
    if "JIKI_PLUGINS_ENABLED" not in settings:
        del environment["JIKI_PLUGINS_ENABLED"]
    return subprocess.run(
        [*FLASK, *arguments],
        cwd=folder.path,
        env=environment,
        input=input_text,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_changes_between_two_deploys_are_told_once_each():
    before, after = {"auth": "1.0", "old": "1.0", "late": "1.0"}, {"auth": "1.1", "new": "2.0"}
    assert [one.sentence() for one in changes_between(before, after, undecided=["late"])] == [
        "old disabled (1.0)",
        "auth upgraded (1.0 -> 1.1)",
        "new enabled (2.0)",
    ]
    assert changes_between(after, after) == []


def test_the_difference_names_contracts_whose_effective_answer_changes():
    with_bell = {"bell": {"contracts": {"Entitlements": "check -> True"}, "routes": {"GET /bell": ""}}}
    assert list(differences(with_bell, {})) == [
        "- route GET /bell",
        "- contract Entitlements: nobody answers it then; what holds is check -> True",
    ]
    assert "+ contract Entitlements: until now check -> True" in list(differences({}, with_bell))


def test_enabling_shows_what_comes_and_keeps_every_comment(folder):
    done = flask(folder, "plugins", "enable", "bell", input_text="y\n")
    assert done.returncode == 0, done.stderr
    assert "+ route GET /api/v1/external/bell" in done.stdout
    assert "+ job bell.ring" in done.stdout
    assert "+ contract Entitlements: until now check -> True" in done.stdout
    written = (folder.path / "jiki.toml").read_text()
    assert '"bell"' in written
    for comment in ("# what we run", "# the tall one", "# quiet"):
        assert comment in written
    assert "bell is enabled already" in flask(folder, "plugins", "enable", "bell").stdout


def test_an_answer_of_no_changes_nothing(folder):
    done = flask(folder, "plugins", "enable", "bell", input_text="n\n")
    assert done.returncode == 1
    assert (folder.path / "jiki.toml").read_text() == CONFIG


def test_enabling_is_refused_when_the_plugin_would_not_run(folder):
    done = flask(folder, "plugins", "enable", "clock", "--yes")
    assert done.returncode == 1
    assert "clock would be blocked: clock requires bell>=1.0, which is installed but not listed" in done.stderr


def test_disabling_names_the_dependents_that_it_blocks(folder):
    write_selection(folder.path / "jiki.toml", ["tower", "bell", "clock"])
    done = flask(folder, "plugins", "disable", "bell", "--yes")
    assert done.returncode == 0, done.stderr
    assert "clock needs bell and will be blocked" in done.stdout
    assert '"bell"' not in (folder.path / "jiki.toml").read_text()


def test_a_variable_that_wins_over_the_file_is_named_instead_of_a_change_without_effect(folder):
    done = flask(folder, "plugins", "enable", "bell", "--yes", JIKI_PLUGINS_ENABLED="tower")
    assert done.returncode == 1
    assert "JIKI_PLUGINS_ENABLED is set and wins" in done.stderr


def test_a_required_plugin_is_not_disabled(folder):
    (folder.path / "jiki.toml").write_text(CONFIG.replace("required = []", 'required = ["tower"]'))
    done = flask(folder, "plugins", "disable", "tower", "--yes")
    assert done.returncode == 1
    assert "take it out of [plugins] required first" in done.stderr


def test_a_file_without_the_section_gets_it(tmp_path):
    path = tmp_path / "jiki.toml"
    write_selection(path, ["auth"])
    assert path.read_text() == textwrap.dedent(
        """\
        [plugins]
        enabled = ["auth"]
        """
    )
