"""The plugin's own messages: its names of languages and a few words that any page needs."""

from __future__ import annotations

from jiki_core.db import UnitOfWork
from jiki_i18n.commands.sync_keys import sync_package
from jiki_i18n.message_files import package_messages

PACKAGE = "jiki_i18n"


def own_messages(uow: UnitOfWork) -> None:
    """The namespace `common`, in English and in the languages that ship with it."""
    for files in package_messages(PACKAGE):
        sync_package(uow, "i18n", files)
