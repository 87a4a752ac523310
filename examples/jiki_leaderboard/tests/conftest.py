"""The app of these tests: the leaderboard and what it requires."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def app(make_app):
    return make_app(("auth", "learning", "leaderboard"))
