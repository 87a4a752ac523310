"""Files of publications on a disk."""

from __future__ import annotations

import os
import time

import pytest

from jiki_core.db import unit_of_work
from jiki_core.db.unit_of_work import UnitOfWorkMisuse
from jiki_i18n.storage import DiskStorage


@pytest.fixture
def disk(tmp_path):
    return DiskStorage(tmp_path / "catalogues")


def test_a_file_is_there_once_it_was_put(disk):
    assert disk.get("hu/a.json") is None
    assert not disk.has("hu/a.json")
    disk.put("hu/a.json", b"one")
    disk.put("hu/a.json", b"two")
    assert disk.get("hu/a.json") == b"two"
    assert list(disk.names()) == ["hu/a.json"]
    disk.delete("hu/a.json")
    disk.delete("hu/a.json")
    assert disk.get("hu/a.json") is None


@pytest.mark.parametrize("name", ["../a", "hu/../../a", "/etc/passwd", "hu//a", "hu/a\0", "hu\\a", ""])
def test_a_name_never_leaves_the_folder(disk, name):
    with pytest.raises(ValueError, match="is no file name"):
        disk.put(name, b"x")


def test_what_a_killed_writer_left_is_no_file_and_is_tidied_later(disk):
    disk.put("hu/a.json", b"one")
    fresh, old = disk.root / "hu" / ".partial-fresh", disk.root / "hu" / ".partial-old"
    for path in (fresh, old):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 7_200, time.time() - 7_200))
    assert list(disk.names()) == ["hu/a.json"]
    disk.tidy()
    assert fresh.exists()
    assert not old.exists()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(disk, monkeypatch):
    disk.put("hu/a.json", b"one")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        disk.put("hu/a.json", b"two")
    assert disk.get("hu/a.json") == b"one"
    assert len(list((disk.root / "hu").iterdir())) == 1


def test_no_file_is_written_inside_a_unit_of_work(db, disk):
    with db.app_context(), unit_of_work(), pytest.raises(UnitOfWorkMisuse):
        disk.put("hu/a.json", b"one")
