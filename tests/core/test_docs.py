"""The documents tell the truth: they list exactly the hooks there are, name files that exist, and hold no private path."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

import jiki_core

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/README.md")])


def tracked():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_the_hook_reference_is_what_the_specifications_say():
    spec = importlib.util.spec_from_file_location("hook_reference", ROOT / "docs" / "hook_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "hooks.md").read_text() == module.reference(), (
        "run: python docs/hook_reference.py > docs/hooks.md"
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_a_document_links_to_exist(document):
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_public_name_can_be_had():
    assert sorted(jiki_core.__all__) == jiki_core.__all__
    for name in jiki_core.__all__:
        assert getattr(jiki_core, name) is not None


def test_no_file_names_a_registry_or_a_path_of_a_machine():
    forbidden = re.compile(rb"pypi\.org|pythonhosted\.org|registry\.npmjs|/work/main|/root/\.|/tmp/jiki/")
    offenders = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path != Path(__file__) and forbidden.search(path.read_bytes())
    ]
    assert offenders == []


@pytest.mark.parametrize("changelog", sorted([ROOT / "CHANGELOG.md", *ROOT.glob("plugins/*/CHANGELOG.md")]), ids=str)
def test_a_changelog_says_first_what_its_newest_release_is_about(changelog):
    lines = [line for line in changelog.read_text().splitlines() if line.strip()]
    release = next(index for index, line in enumerate(lines) if line.startswith("## "))
    assert not lines[release + 1].startswith(("#", "-", "*")), lines[release + 1]
