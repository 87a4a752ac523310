"""Fixtures of learning's tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from sqlalchemy import text

from jiki_core.db import reading
from jiki_learning.testing import SampleLearner, forget_caches, import_levels, make_learner

# On a busy machine drawing an example may take a while; that says nothing about the example.
settings.register_profile("jiki-learning", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("jiki-learning")


@pytest.fixture(autouse=True)
def _fresh_caches(request: pytest.FixtureRequest) -> None:
    """What an earlier test's app kept of content that was rolled back."""
    if {"db", "committed_db"} & set(request.fixturenames):
        forget_caches(request.getfixturevalue("app"))


@pytest.fixture
def learner(db: Flask) -> SampleLearner:
    """Somebody enrolled in a course of three levels with three, two and one exercises."""
    import_levels(db, (3, 2, 1))
    return make_learner(db)


@pytest.fixture
def count_rows(app: Flask) -> Callable[..., int]:
    """`count_rows("user_lessons", user_id=1)`: how many rows of a table of learning match."""

    def count(table: str, **where: object) -> int:
        condition = " and ".join(f"{name} = :{name}" for name in where) or "true"
        with app.app_context():
            found = reading().execute(text(f"select count(*) from learning.{table} where {condition}"), where)
            return int(found.scalar_one())

    return count
