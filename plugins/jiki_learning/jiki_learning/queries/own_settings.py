"""The plugin's own settings at runtime."""

from __future__ import annotations

from typing import cast

from jiki_core.runtime import runtime
from jiki_learning.settings import LearningSettings


def learning_settings() -> LearningSettings:
    """Of the current app."""
    return cast(LearningSettings, runtime().plugin_settings["learning"])
