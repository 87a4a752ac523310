"""Engines: when they are not available, in whose words, and what is refused instead of trusted."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

import pytest

from jiki_runner.engine.assets import ACORN, CPYTHON_WASI, EngineUnavailable, find_engine, prepare_engine
from jiki_runner.engine.exercise import Language


def test_an_engine_that_was_never_prepared_says_how_to(tmp_path: Path) -> None:
    for language in Language:
        with pytest.raises(EngineUnavailable) as caught:
            find_engine(language, tmp_path)
        assert str(tmp_path) in caught.value.reason
        assert "flask runner prepare" in caught.value.remedy


def test_a_package_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.Distribution.discover", classmethod(lambda cls, **named: iter(())))
    with pytest.raises(EngineUnavailable, match=r"wasmtime is not installed.*pip install wasmtime"):
        find_engine(Language.PYTHON, tmp_path)
    with pytest.raises(EngineUnavailable, match=r"mini-racer is not installed.*pip install mini-racer"):
        prepare_engine(Language.JAVASCRIPT, tmp_path)


def test_without_npm_the_remedy_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("py_mini_racer", reason="mini-racer is not installed")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineUnavailable, match=r"npm is not on the PATH.*Install Node"):
        prepare_engine(Language.JAVASCRIPT, tmp_path / "engine")


def fake_npm(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An npm at the edge of the world, that does what `script` says."""
    program = folder / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


def test_what_npm_complains_of_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("py_mini_racer", reason="mini-racer is not installed")
    fake_npm(tmp_path, "echo 'npm error code E404' >&2; exit 1", monkeypatch)
    with pytest.raises(EngineUnavailable, match=r"could not fetch acorn@.*E404"):
        prepare_engine(Language.JAVASCRIPT, tmp_path / "engine")


def test_a_package_with_another_digest_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("py_mini_racer", reason="mini-racer is not installed")
    (tmp_path / "acorn.js").write_text("var acorn = 'not it';", "utf-8")
    with tarfile.open(tmp_path / "acorn.tgz", "w:gz") as archive:
        archive.add(tmp_path / "acorn.js", ACORN.member)
    fake_npm(tmp_path, f'cp {tmp_path}/acorn.tgz "$4"', monkeypatch)
    with pytest.raises(EngineUnavailable, match="not the package we know"):
        prepare_engine(Language.JAVASCRIPT, tmp_path / "engine")
    assert list((tmp_path / "engine").rglob("*.js")) == []


def test_the_versions_and_digests_are_exact() -> None:
    for wanted in (CPYTHON_WASI, ACORN):
        assert wanted.version.count(".") == 2
        assert wanted.integrity.startswith("sha512-")
        assert len(wanted.integrity) == len("sha512-") + 88


@pytest.fixture
def copy_of_engine(python_engine: Path, tmp_path: Path) -> Path:
    copied = tmp_path / "engine"
    shutil.copytree(python_engine, copied)
    find_engine(Language.PYTHON, copied)
    return copied


@pytest.mark.parametrize("which", ["file", "folder", "directory"])
def test_compiled_code_that_others_could_have_written_is_refused(copy_of_engine: Path, which: str) -> None:
    interpreter = find_engine(Language.PYTHON, copy_of_engine).compiled_interpreter
    assert interpreter is not None
    place = {"file": interpreter, "folder": interpreter.parent, "directory": copy_of_engine}[which]
    place.chmod(0o777)
    with pytest.raises(EngineUnavailable, match="can be written by others") as caught:
        find_engine(Language.PYTHON, copy_of_engine)
    assert str(place) in caught.value.remedy


def test_code_compiled_on_another_machine_or_for_another_wasmtime_is_not_found(copy_of_engine: Path) -> None:
    interpreter = find_engine(Language.PYTHON, copy_of_engine).compiled_interpreter
    assert interpreter is not None
    interpreter.rename(interpreter.with_name("python-3.12.0-wasmtime-1.0.0-x86_64-elsewhere.cwasm"))
    with pytest.raises(EngineUnavailable, match="not compiled for this machine and this wasmtime"):
        find_engine(Language.PYTHON, copy_of_engine)


def test_preparing_twice_changes_nothing(python_engine: Path) -> None:
    files = find_engine(Language.PYTHON, python_engine)
    assert files.compiled_interpreter is not None
    before = files.compiled_interpreter.stat().st_mtime_ns
    assert prepare_engine(Language.PYTHON, python_engine) == files
    assert files.compiled_interpreter.stat().st_mtime_ns == before
