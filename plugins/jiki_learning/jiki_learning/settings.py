"""What an operator may set for learning: `[learning]` in jiki.toml, `JIKI_LEARNING_…` in the environment."""

from __future__ import annotations

from dataclasses import dataclass

from jiki_core.settings import setting


@dataclass(frozen=True)
class LearningSettings:
    default_course_slug: str = setting(
        "coding-fundamentals", help="Course into which every new account is enrolled", example="coding-fundamentals"
    )
