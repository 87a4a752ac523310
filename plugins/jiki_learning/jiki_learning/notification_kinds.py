"""What learners are told of, and may switch off."""

from __future__ import annotations

from jiki_core.events import NotificationKind

NOTIFICATION_KINDS = (
    NotificationKind("lesson_unlocked", "A lesson is open", group="progress", summary="The next lesson can be started"),
    NotificationKind("badge_awarded", "A badge", group="progress", summary="A badge was earned"),
    NotificationKind("level_milestone", "A level is complete", group="progress", summary="All of its lessons are done"),
    NotificationKind(
        "streak_reminder", "A streak would end today", group="reminders", summary="In the evening, once a day"
    ),
    NotificationKind(
        "collaboration_joined", "Somebody joined", group="collaboration", summary="An invitation of yours was used"
    ),
)
