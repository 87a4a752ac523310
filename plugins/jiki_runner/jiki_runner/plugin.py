"""The plugin runner: test runs of learners' code on the server, in a sandbox. Optional."""

from __future__ import annotations

from collections.abc import Sequence

import click
from flask import Flask

from jiki_core.contracts import Provider
from jiki_core.plugins import Plugin, hookimpl
from jiki_runner.settings import RunnerSettings


class RunnerPlugin(Plugin):
    name = "runner"
    requires = ("learning>=1.0",)
    core = ">=1.0"
    Settings = RunnerSettings

    @hookimpl
    def jiki_configure(self, app: Flask, settings: RunnerSettings) -> None:
        from jiki_runner.readiness import report_missing_engines

        report_missing_engines(settings)

    @hookimpl
    def jiki_providers(self) -> Sequence[Provider]:
        from jiki_learning.contracts import ExerciseRunner
        from jiki_runner.provider import SandboxedRuns

        return [Provider(ExerciseRunner, SandboxedRuns)]

    @hookimpl
    def jiki_commands(self) -> Sequence[click.Command]:
        from jiki_runner.cli import check_command, prepare_command, run_command

        return [prepare_command, check_command, run_command]


plugin = RunnerPlugin()
