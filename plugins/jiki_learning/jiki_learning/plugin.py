"""The plugin learning: courses, lessons, submissions and linear progression."""

from __future__ import annotations

from collections.abc import Sequence

from jiki_core.db import Model
from jiki_core.plugins import Plugin, hookimpl
from jiki_core.security import Permission, Role

from jiki_learning.settings import LearningSettings


class LearningPlugin(Plugin):
    name = "learning"
    requires = ("auth>=1.0",)
    uses = ("payments>=1.0", "i18n>=1.0")
    core = ">=1.0"
    Settings = LearningSettings

    @hookimpl
    def jiki_models(self) -> Sequence[type[Model]]:
        from jiki_learning.models import ALL_MODELS

        return ALL_MODELS

    @hookimpl
    def jiki_permissions(self) -> Sequence[Permission | Role]:
        from jiki_learning.permissions import PERMISSIONS

        return PERMISSIONS


plugin = LearningPlugin()
