"""What every plugin, and every provider of a contract, should hold to: the runner does."""

from __future__ import annotations

import pytest

from jiki_core.testing import PluginConformance, ProviderConformance
from jiki_learning.contracts import ExerciseRunner
from jiki_runner.plugin import plugin


@pytest.fixture(scope="module")
def app(make_app):
    return make_app(("auth", "learning", "runner"))


class TestRunner(PluginConformance):
    plugin = plugin


class TestExerciseRunner(ProviderConformance):
    plugin, contract = "runner", ExerciseRunner
