"""What an operator may set for learning: `[learning]` in jiki.toml, `JIKI_LEARNING_…` in the environment."""

from __future__ import annotations

from dataclasses import dataclass

from jiki_core.settings import Secret, setting


@dataclass(frozen=True)
class LearningSettings:
    default_course_slug: str = setting(
        "coding-fundamentals", help="Course into which every new account is enrolled", example="coding-fundamentals"
    )
    assistant_token_secret: Secret = setting(
        Secret(""),
        help="Shared with the assistant's proxy, which checks the tokens we give out; empty = derived from secret_key",
    )
    assistant_signature_secret: Secret = setting(
        Secret(""),
        help="Shared with the assistant's proxy, which signs its messages; empty = derived from secret_key",
    )
    assistant_token_ttl_seconds: int = setting(
        3_600, help="Life of a token for the assistant", minimum=60, maximum=86_400
    )
    assistant_messages_per_day: int = setting(100, help="Messages to the assistant per learner and day", minimum=1)
    assistant_messages_per_month: int = setting(500, help="Messages to the assistant per learner in 30 days", minimum=1)
    streak_reminder_hour: int = setting(
        18, help="Hour of the learner's own day from which on they are reminded of a streak", minimum=0, maximum=23
    )
    collaboration_participants: int = setting(
        8, help="People who may work on one exercise together, its owner among them", minimum=2, maximum=50
    )
    collaborations_per_learner: int = setting(5, help="Open collaborations of one owner", minimum=1)
    collaboration_invitation_ttl_seconds: int = setting(
        86_400, help="Longest life of a link that invites to a collaboration", minimum=60
    )
    collaboration_update_bytes: int = setting(
        32_768, help="Largest change that a socket may send at once", minimum=1_024, maximum=40_000
    )
    collaboration_document_bytes: int = setting(
        150_000,
        help="Size up to which a shared file may grow, with what it remembers of deleted text",
        minimum=10_000,
        maximum=150_000,
    )
    collaboration_idle_days: int = setting(7, help="Days without a change after which a collaboration ends", minimum=1)
    collaboration_retention_days: int = setting(90, help="Days for which an ended collaboration is kept", minimum=1)
    live_check_quiet_ms: int = setting(
        600, help="How long a learner must have stopped typing before the tests run over the draft", minimum=100
    )
    live_check_longest_wait_ms: int = setting(
        3_000, help="After so long the tests run even while a learner types on", minimum=500
    )
    live_check_limit_seconds: float = setting(5.0, help="Longest run of the tests over a draft", minimum=1)
    draft_flush_seconds: int = setting(
        60, help="How often a draft is written to PostgreSQL while somebody types; it is also at the end", minimum=1
    )
    test_run_details_days: int = setting(
        180, help="Days for which messages and output of each test of a run are kept; its outcome stays", minimum=1
    )
