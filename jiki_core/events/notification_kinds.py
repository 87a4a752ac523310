"""Kinds of notifications: declared by the plugin that sends them, so that users can say which of them they want."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class NotificationKind:
    """What `uow.notify(user_id, "<plugin>.<name>", data)` tells somebody.

    `label` and `summary` are English, for developers and as a fallback; clients have the words for users. Kinds of one
    `group` are shown and counted together. One that `is_mandatory` cannot be switched off.
    """

    name: str
    label: str
    group: str
    summary: str = ""
    is_mandatory: bool = False

    def mistakes(self) -> Iterator[str]:
        """Sentences on what is wrong with the declaration."""
        for what, value in (("name", self.name), ("group", self.group)):
            if not _NAME.fullmatch(value):
                yield f"the {what} {value!r} of a notification kind is no word of a-z, 0-9 and _"
        if not self.label:
            yield f"the notification kind {self.name} has no label"
