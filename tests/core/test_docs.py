"""The documents tell the truth: they list exactly the hooks there are, name files that exist, and hold no private path."""

from __future__ import annotations

import importlib
import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

import jiki_core
from jiki_core import contracts, testing

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/README.md")])


def is_contract(name):
    found = getattr(contracts, name)
    return isinstance(found, type) and issubclass(found, contracts.Contract) and found is not contracts.Contract


def tracked():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def module_of(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_hook_reference_is_what_the_specifications_say():
    assert (ROOT / "docs" / "hooks.md").read_text() == module_of("hook_reference").reference(), (
        "run: python docs/hook_reference.py > docs/hooks.md"
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_a_document_links_to_exist(document):
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_the_page_of_public_names_is_what_the_core_offers():
    assert (ROOT / "docs" / "public_names.md").read_text() == module_of("public_names").page(), (
        "run: python docs/public_names.py > docs/public_names.md"
    )


@pytest.mark.parametrize("name", jiki_core.__all__)
def test_a_public_name_is_one_of_its_room_too_and_says_what_it_is(name):
    home = importlib.import_module(f"jiki_core.{jiki_core._HOMES[name]}")
    found = getattr(jiki_core, name)
    assert found is getattr(home, name)
    assert name in getattr(home, "__all__", [name])
    assert module_of("public_names").sentence(name), f"{name} has no docstring"


@pytest.mark.parametrize("contract", [one for one in contracts.__all__ if is_contract(one)])
def test_every_contract_of_the_core_has_checks_that_its_providers_inherit(contract):
    checks = getattr(testing, f"{contract}Conformance")
    assert checks.contract is getattr(contracts, contract)


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
