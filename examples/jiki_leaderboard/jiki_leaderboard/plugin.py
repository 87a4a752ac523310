"""The manifest of the leaderboard and what it contributes."""

from __future__ import annotations

from collections.abc import Sequence

import click
from flask import Flask
from jiki_core.cable import Channel
from jiki_core.db import Model
from jiki_core.events import Listener, NotificationKind
from jiki_core.http import Mount
from jiki_core.jobs import Job
from jiki_core.plugins import HealthCheck, PersonalTable, Plugin, hookimpl
from jiki_core.security import Permission, Role

from jiki_leaderboard.settings import LeaderboardSettings


class LeaderboardPlugin(Plugin):
    name = "leaderboard"
    requires = ("auth>=1.0", "learning>=1.0")
    uses = ("payments>=1.0",)
    core = ">=1.0"
    Settings = LeaderboardSettings

    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        from jiki_leaderboard.api.v1.leaderboard import blp

        return [Mount(blp, "internal")]

    @hookimpl
    def jiki_models(self) -> Sequence[type[Model]]:
        from jiki_leaderboard.models import WeeklyScore

        return [WeeklyScore]

    @hookimpl
    def jiki_jobs(self) -> Sequence[Job]:
        from jiki_leaderboard.jobs import crown_winners

        return [Job(crown_winners, schedule="5 0 * * 1")]

    @hookimpl
    def jiki_channels(self) -> Sequence[type[Channel]]:
        from jiki_leaderboard.channels import LeaderboardChannel

        return [LeaderboardChannel]

    @hookimpl
    def jiki_listeners(self) -> Sequence[Listener]:
        from jiki_learning.events import LessonCompleted

        from jiki_leaderboard.listeners import count_lesson

        return [Listener(LessonCompleted, count_lesson)]

    @hookimpl
    def jiki_permissions(self) -> Sequence[Permission | Role]:
        from jiki_leaderboard.permissions import PERMISSIONS

        return PERMISSIONS

    @hookimpl
    def jiki_notifications(self) -> Sequence[NotificationKind]:
        return [NotificationKind("crowned", "Among the best of the week", group="achievements")]

    @hookimpl
    def jiki_health(self) -> Sequence[HealthCheck]:
        from jiki_leaderboard.health import winners_are_crowned

        return [HealthCheck(winners_are_crowned)]

    @hookimpl
    def jiki_ready(self, app: Flask) -> None:
        from jiki_leaderboard.health import check_audience

        check_audience(app)

    @hookimpl
    def jiki_personal_data(self) -> Sequence[PersonalTable]:
        from jiki_leaderboard.personal_data import PERSONAL_DATA

        return PERSONAL_DATA

    @hookimpl
    def jiki_commands(self) -> Sequence[click.Command]:
        from jiki_leaderboard.cli import show_command

        return [show_command]


plugin = LeaderboardPlugin()
