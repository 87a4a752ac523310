"""What every plugin, and every provider of the core's contracts, should hold to: learning does."""

from __future__ import annotations

import pytest

from jiki_core.testing import AccountFieldsConformance, AccountSetupConformance, PluginConformance
from jiki_learning.plugin import plugin
from jiki_learning.testing import import_levels, make_learner


class TestLearning(PluginConformance):
    plugin = plugin


class OfLearning:
    """Three learners of one course."""

    plugin = "learning"

    @pytest.fixture
    def user_ids(self, db):
        import_levels(db, (1,))
        return [make_learner(db).id for _ in range(3)]


class TestAccountFields(OfLearning, AccountFieldsConformance):
    pass


class TestAccountSetup(OfLearning, AccountSetupConformance):
    pass
