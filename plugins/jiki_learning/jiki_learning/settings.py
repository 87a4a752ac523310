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
