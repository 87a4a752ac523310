"""The courses that ship with the package."""

from __future__ import annotations

from pathlib import Path

#: slug of the bundled course, also the name of its folder
BUNDLED_COURSE = "coding-fundamentals"


def bundled_course_path() -> Path:
    """The folder of the bundled course, in the `jiki` format."""
    return Path(__file__).parent.parent / "data" / BUNDLED_COURSE
