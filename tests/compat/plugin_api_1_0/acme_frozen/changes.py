"""What frozen does when a deploy changed plugins."""

from __future__ import annotations

from flask import current_app

from jiki_core import ChangeKind, PluginChange


def on_change(change: PluginChange) -> None:
    """Idempotent: a change may be told twice."""
    told = current_app.extensions["acme_frozen"]["changes"]
    if change.kind is ChangeKind.PURGING:
        told.clear()
    told.append((str(change.kind), change.plugin, change.before, change.after))
