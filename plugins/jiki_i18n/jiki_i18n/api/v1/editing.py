"""What the routes of the editing API share: who is editing, and the plugin's settings."""

from __future__ import annotations

from typing import cast

from jiki_core.runtime import runtime
from jiki_core.security import me
from jiki_i18n.queries.editors import Editor, editor_of
from jiki_i18n.settings import I18nSettings


def current_editor() -> Editor:
    """Raises Unauthenticated for a stranger; the route's policy has seen to the permission."""
    return editor_of(me())


def i18n_settings() -> I18nSettings:
    return cast(I18nSettings, runtime().plugin_settings["i18n"])
