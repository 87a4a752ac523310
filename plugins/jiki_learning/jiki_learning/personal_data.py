"""What learning keeps about a person, for export and erasure.

What Valkey keeps of a draft is gone a day after its last edit.

Texts of submitted files are kept by content and belong to nobody; `sweep_texts` removes those that no submission names.
"""

from __future__ import annotations

from jiki_core.plugins import PersonalTable

PERSONAL_DATA = [
    PersonalTable("activity_days", "user_id", ("day", "kind")),
    PersonalTable("assistant_conversations", "user_id", ("lesson_id", "challenge_id", "created_at", "updated_at")),
    PersonalTable("assistant_messages", "conversation_id.user_id", ("role", "content", "timestamp")),
    PersonalTable("awaited_enrolments", "user_id"),
    PersonalTable("collaboration_documents", "collaboration_id.owner_id", ("filename", "changed_at")),
    PersonalTable("collaboration_invitations", "collaboration_id.owner_id", ("role", "created_at", "expires_at")),
    PersonalTable("collaboration_participants", "collaboration_id.owner_id"),
    PersonalTable("collaboration_participants", "user_id", ("role", "joined_at", "removed_at")),
    PersonalTable("collaboration_updates", "document_id.collaboration_id.owner_id"),
    PersonalTable("collaboration_versions", "document_id.collaboration_id.owner_id", ("content", "reason", "saved_at")),
    PersonalTable("collaborations", "owner_id", ("uuid", "lesson_id", "created_at", "ended_at")),
    PersonalTable("exercise_drafts", "user_id", ("lesson_id", "files", "saved_at")),
    PersonalTable("exercise_submissions", "user_lesson_id.user_id", ("uuid", "has_passed", "stored_at")),
    PersonalTable("exercise_submissions", "user_challenge_id.user_id", ("uuid", "has_passed", "stored_at")),
    PersonalTable("streak_reminders", "user_id", ("day",)),
    PersonalTable("submission_files", "submission_id.user_lesson_id.user_id", ("filename", "digest")),
    PersonalTable("submission_files", "submission_id.user_challenge_id.user_id", ("filename", "digest")),
    PersonalTable("test_runs", "submission_id.user_lesson_id.user_id", ("state", "outcome", "report", "queued_at")),
    PersonalTable("test_runs", "submission_id.user_challenge_id.user_id", ("state", "outcome", "report", "queued_at")),
    PersonalTable("user_acquired_badges", "user_id", ("badge_id", "is_revealed", "unlocked_at")),
    PersonalTable("user_challenges", "user_id", ("challenge_id", "started_at", "completed_at")),
    PersonalTable("user_concepts", "user_id", ("concept_id", "unlocked_at")),
    PersonalTable("user_courses", "user_id", ("course_id", "language", "enrolled_at", "completed_at")),
    PersonalTable(
        "user_lessons", "user_id", ("lesson_id", "started_at", "completed_at", "difficulty_rating", "fun_rating")
    ),
    PersonalTable("user_levels", "user_id", ("level_id", "started_at", "completed_at")),
    PersonalTable("user_videos", "user_id", ("uuid", "watched_percentage", "completed_at")),
]
