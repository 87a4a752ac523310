"""The plugin learning: courses, lessons, submissions and linear progression."""

from __future__ import annotations

from collections.abc import Sequence

import click
from flask import Flask

from jiki_core.cable import Channel
from jiki_core.contracts import Provider
from jiki_core.db import Model
from jiki_core.events import Listener, NotificationKind
from jiki_core.http import Mount
from jiki_core.jobs import Job, Retry
from jiki_core.mail import EmailTemplate
from jiki_core.plugins import PersonalTable, Plugin, Seed, hookimpl
from jiki_core.security import Permission, Role
from jiki_core.storage import FileKind
from jiki_learning.settings import LearningSettings


class LearningPlugin(Plugin):
    name = "learning"
    requires = ("auth>=1.0",)
    uses = ("payments>=1.0", "i18n>=1.0")
    core = ">=1.0"
    Settings = LearningSettings

    @hookimpl
    def jiki_configure(self, app: Flask, settings: LearningSettings) -> None:
        from jiki_learning.live_checks import init_live_checks

        init_live_checks(app, settings)

    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        from jiki_learning.api.v1 import (
            admin_files,
            admin_levels,
            admin_unlockables,
            admin_upkeep,
            assistant_conversations,
            badges,
            challenges,
            collaborations,
            concepts,
            courses,
            drafts,
            events,
            files,
            lessons,
            levels,
            test_runs,
            user_courses,
            user_lessons,
            user_levels,
            user_videos,
        )

        return [
            Mount(courses.blp),
            Mount(user_courses.blp),
            Mount(levels.blp),
            Mount(user_levels.blp),
            Mount(lessons.blp),
            Mount(user_lessons.blp),
            Mount(test_runs.of_lessons),
            Mount(test_runs.of_challenges),
            Mount(drafts.blp),
            Mount(concepts.blp),
            Mount(concepts.external, "external"),
            Mount(challenges.blp),
            Mount(challenges.mine),
            Mount(user_videos.blp),
            Mount(badges.blp),
            Mount(assistant_conversations.blp),
            Mount(collaborations.blp),
            Mount(events.blp),
            Mount(files.submissions),
            Mount(files.materials),
            Mount(admin_files.images, "admin"),
            Mount(admin_files.materials, "admin"),
            Mount(admin_levels.blp, "admin"),
            Mount(admin_unlockables.concepts, "admin"),
            Mount(admin_unlockables.challenges, "admin"),
            Mount(admin_upkeep.seeds, "admin"),
            Mount(admin_upkeep.analytics, "admin"),
        ]

    @hookimpl
    def jiki_models(self) -> Sequence[type[Model]]:
        from jiki_learning.models import ALL_MODELS

        return ALL_MODELS

    @hookimpl
    def jiki_jobs(self) -> Sequence[Job]:
        from jiki_learning.jobs import (
            TEST_RUN_RETRY,
            TEST_RUN_TIMEOUT_SECONDS,
            check_badges,
            check_draft,
            close_idle_collaborations,
            forget_test_details,
            remind_of_streaks,
            run_tests,
            settle_course,
            sweep_texts,
            translate_milestone,
        )

        return [
            Job(check_badges),
            Job(settle_course),
            Job(translate_milestone),
            Job(sweep_texts, schedule="40 3 * * *"),
            Job(close_idle_collaborations, schedule="50 3 * * *"),
            Job(remind_of_streaks, schedule="5,35 * * * *"),
            Job(forget_test_details, schedule="20 4 * * *"),
            Job(run_tests, queue="untrusted", retry=TEST_RUN_RETRY, timeout_seconds=TEST_RUN_TIMEOUT_SECONDS),
            Job(
                check_draft,
                queue="untrusted",
                retry=Retry(limit=1),
                timeout_seconds=TEST_RUN_TIMEOUT_SECONDS,
                priority="low",
            ),
        ]

    @hookimpl
    def jiki_channels(self) -> Sequence[type[Channel]]:
        from jiki_learning.channels.collaboration import CollaborationChannel
        from jiki_learning.channels.exercise import ExerciseChannel
        from jiki_learning.channels.submission import SubmissionChannel

        return [CollaborationChannel, ExerciseChannel, SubmissionChannel]

    @hookimpl
    def jiki_listeners(self) -> Sequence[Listener]:
        from jiki_auth.events import AccountDeleting, SiteVisited
        from jiki_learning.events import LessonCompleted, LevelCompleted
        from jiki_learning.listeners import (
            award_badges_for_lesson,
            award_badges_for_premium,
            celebrate_level,
            enrol_visitor,
            forget_owner_of_badges,
        )

        return [
            Listener(LessonCompleted, award_badges_for_lesson),
            Listener(LevelCompleted, celebrate_level),
            Listener("payments.premium_started", award_badges_for_premium),
            Listener(AccountDeleting, forget_owner_of_badges),
            Listener(SiteVisited, enrol_visitor),
        ]

    @hookimpl
    def jiki_providers(self) -> Sequence[Provider]:
        from jiki_core.contracts import AccountFields, AccountSetup, TranslatableTexts
        from jiki_learning.contracts import CourseMaterial
        from jiki_learning.course_material import CoursesOnDisk
        from jiki_learning.providers import LearnerFields, MilestoneTexts, NewLearners

        return [
            Provider(AccountSetup, NewLearners),
            Provider(AccountFields, LearnerFields),
            Provider(CourseMaterial, CoursesOnDisk),
            Provider(TranslatableTexts, MilestoneTexts),
        ]

    @hookimpl
    def jiki_notifications(self) -> Sequence[NotificationKind]:
        from jiki_learning.notification_kinds import NOTIFICATION_KINDS

        return NOTIFICATION_KINDS

    @hookimpl
    def jiki_personal_data(self) -> Sequence[PersonalTable]:
        from jiki_learning.personal_data import PERSONAL_DATA

        return PERSONAL_DATA

    @hookimpl
    def jiki_permissions(self) -> Sequence[Permission | Role]:
        from jiki_learning.permissions import PERMISSIONS

        return PERMISSIONS

    @hookimpl
    def jiki_file_kinds(self) -> Sequence[FileKind]:
        from jiki_learning.file_kinds import FILE_KINDS

        return FILE_KINDS

    @hookimpl
    def jiki_emails(self) -> Sequence[EmailTemplate]:
        return [
            EmailTemplate(
                "learning.level_milestone",
                category="notifications",
                context=("subject", "content_text", "content_html", "image_url", "unsubscribe_url"),
            )
        ]

    @hookimpl
    def jiki_seeds(self) -> Sequence[Seed]:
        from jiki_learning.seeds import bundled_course

        return [Seed("bundled_course", bundled_course, env="development")]

    @hookimpl
    def jiki_commands(self) -> Sequence[click.Command]:
        from jiki_learning import cli

        return [
            cli.import_command,
            cli.export_command,
            cli.doctor_command,
            cli.move_lesson_command,
            cli.append_lesson_command,
            cli.reset_progress_command,
        ]


plugin = LearningPlugin()
