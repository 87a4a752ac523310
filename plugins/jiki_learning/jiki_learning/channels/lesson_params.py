"""What identifies a subscription to something of one lesson."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LessonParams:
    lesson_slug: str
