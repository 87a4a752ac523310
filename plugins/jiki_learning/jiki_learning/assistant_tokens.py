"""What learning and the assistant's proxy prove to each other with shared secrets (contract.md 3.17).

We sign the token a learner takes to the proxy; the proxy signs each answer, so that nobody stores words it never said.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

import jwt

from jiki_core.configuration import derived_key
from jiki_core.runtime import runtime
from jiki_learning.settings import LearningSettings

ALGORITHM = "HS256"


def assistant_token(
    user_id: int, exercise_slug: str, context: dict[str, str], now: datetime, settings: LearningSettings
) -> str:
    """A JWT for one learner and one exercise. `context` is `{"lesson_slug": …}` or `{"challenge_slug": …}`."""
    claims = {
        "sub": str(user_id),
        "exercise_slug": exercise_slug,
        "iat": now,
        "exp": now + timedelta(seconds=settings.assistant_token_ttl_seconds),
        **context,
    }
    return jwt.encode(claims, _token_key(settings), algorithm=ALGORITHM)


def message_signature(user_id: int, content: str, timestamp: str | int, settings: LearningSettings) -> str:
    """HMAC-SHA256 of `user_id:content:timestamp` in hexadecimal."""
    secret = settings.assistant_signature_secret.reveal().encode()
    key = secret or derived_key(runtime().settings, "assistant-signature")
    return hmac.new(key, f"{user_id}:{content}:{timestamp}".encode(), hashlib.sha256).hexdigest()


def is_signed(user_id: int, content: str, timestamp: str | int, signature: str, settings: LearningSettings) -> bool:
    """Whether the proxy signed this message to this learner."""
    expected = message_signature(user_id, content, timestamp, settings)
    return hmac.compare_digest(expected.encode(), signature.encode())


def _token_key(settings: LearningSettings) -> bytes:
    secret = settings.assistant_token_secret.reveal().encode()
    return secret or derived_key(runtime().settings, "assistant-token")
