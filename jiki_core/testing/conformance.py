"""Checks that every plugin inherits in its own tests: subclass, name the plugin, and pytest runs them."""

from __future__ import annotations

import inspect
import json
from typing import ClassVar

from flask import Flask

from jiki_core.db import db as database
from jiki_core.db.migration_sets import MigrationSet, differences, downgrade, set_status, upgrade
from jiki_core.plugins import Plugin, PluginState
from jiki_core.plugins.pausing import dependents_of
from jiki_core.plugins.personal_data import stored_form
from jiki_core.runtime import runtime_of
from jiki_core.schema_gate import plugin_sets


class PluginConformance:
    """What every plugin should pass. Needs the fixture `app` with the plugin enabled."""

    plugin: ClassVar[Plugin]

    def test_it_runs(self, app: Flask) -> None:
        status = app.extensions["jiki.host"].status(self.plugin.name)
        assert status.state is PluginState.RUNNING, status.sentence()

    def test_its_models_and_tables_agree(self, app: Flask) -> None:
        with app.app_context():
            for one in self._sets(app):
                assert differences(database.engine, one) == []

    def test_its_migrations_go_down_and_up_again(self, committed_db: Flask) -> None:
        with committed_db.app_context():
            concerned = self._sets_with_dependents(committed_db)
            for one in reversed(concerned):
                downgrade(database.engine, one, "base")
            upgrade(database.engine, concerned)
            with database.engine.connect() as connection:
                assert all(set_status(connection, one).is_current for one in concerned)

    def test_every_route_is_documented(self, app: Flask) -> None:
        document = app.test_client().get("/openapi/v1.json").get_json()
        for endpoint, mounted in runtime_of(app).mounted.items():
            if mounted.plugin == self.plugin.name:
                assert inspect.getdoc(app.view_functions[endpoint]), f"{endpoint} has no docstring"
        assert document["paths"]

    def test_its_declarations_of_personal_data_can_be_stored(self, app: Flask) -> None:
        given = app.extensions["jiki.host"].loaded[self.plugin.name].contributions
        json.dumps(stored_form(given.models, given.personal_data))

    def test_its_jobs_take_json_and_say_what_they_do(self, app: Flask) -> None:
        for bound in runtime_of(app).jobs.values():
            if bound.plugin == self.plugin.name:
                assert inspect.getdoc(bound.job.func) or ".on." in bound.name, f"{bound.name} has no docstring"

    def _sets(self, app: Flask) -> list[MigrationSet]:
        return [one for one in plugin_sets(app.extensions["jiki.host"]) if one.name == self.plugin.name]

    def _sets_with_dependents(self, app: Flask) -> list[MigrationSet]:
        """The plugin's set and those whose tables may refer to it, dependencies first."""
        host = app.extensions["jiki.host"]
        names = {self.plugin.name, *dependents_of(self.plugin.name, host.requirements())}
        return [one for one in plugin_sets(host) if one.name in names]
