"""An app of our own, for those who serve it with another server."""

from __future__ import annotations

from flask import Flask

from jiki_core import create_app


def application() -> Flask:
    return create_app("maintenance")
