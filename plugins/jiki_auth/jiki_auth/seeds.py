"""Sample accounts for development, printed by bin/dev; never made in production."""

from __future__ import annotations

from typing import cast

from jiki_auth.commands.create_user import create_user
from jiki_auth.settings import AuthSettings
from jiki_core.db import UnitOfWork
from jiki_core.runtime import runtime

LEARNER = ("learner@example.com", "maple sundial 41")
ADMIN = ("admin@example.com", "copper lantern 77")
NOTICE = f"sample accounts  {LEARNER[0]} / {LEARNER[1]}, admin: {ADMIN[0]} / {ADMIN[1]}"


def sample_accounts(uow: UnitOfWork) -> None:
    """A learner and an admin, both confirmed."""
    settings = cast(AuthSettings, runtime().plugin_settings["auth"])
    create_user(uow, *LEARNER, settings=settings, is_confirmed=True, handle="sample-learner")
    create_user(uow, *ADMIN, settings=settings, is_confirmed=True, is_admin=True, handle="sample-admin")
