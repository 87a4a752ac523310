"""What auth keeps about a person, for export and erasure. Secrets and their hashes are never exported."""

from __future__ import annotations

from jiki_core.plugins import PersonalTable

PERSONAL_DATA = [
    PersonalTable("api_keys", "user_id", ("id", "name", "scopes", "created_at", "expires_at", "last_used_at")),
    PersonalTable("known_devices", "user_id", ("last_seen_at",)),
    PersonalTable("mail_tokens", "user_id", ("purpose", "email", "created_at", "used_at")),
    PersonalTable("otp_challenges", "user_id"),
    PersonalTable("recovery_codes", "user_id", ("used_at",)),
    PersonalTable("sessions", "user_id", ("kind", "user_agent", "network", "created_at", "last_used_at")),
    PersonalTable("user_flags", "user_id", ("key", "created_at")),
    PersonalTable("user_roles", "user_id", ("role", "granted_at")),
    PersonalTable(
        "users",
        "id",
        (
            "handle",
            "email",
            "unconfirmed_email",
            "name",
            "avatar_url",
            "google_id",
            "confirmed_at",
            "explicit_locale",
            "language_tags",
            "country_code",
            "timezone",
            "signup_attribution",
            "created_at",
            "last_active_on",
            "streaks_enabled",
            "receive_newsletters",
            "receive_event_emails",
            "receive_milestone_emails",
            "receive_activity_emails",
            "receive_onboarding_emails",
            "email_bounced_at",
            "email_complaint_at",
            "otp_enabled_at",
        ),
    ),
]
