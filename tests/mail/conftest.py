"""The fixtures of these tests are those of the laboratory."""

from __future__ import annotations

from tests.laboratory_fixtures import lab, lab_app, lab_folder

__all__ = ["lab", "lab_app", "lab_folder"]
