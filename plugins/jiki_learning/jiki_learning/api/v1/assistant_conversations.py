"""`internal/assistant_conversations`: tokens for the assistant's proxy, and what was said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from jiki_auth.contracts import HumanCheck
from jiki_core.contracts import ask
from jiki_core.db import unit_of_work
from jiki_core.errors import FieldError, ValidationFailed
from jiki_core.http import Blueprint, Reply, client_address, never_cache, policy, reply
from jiki_core.security import me
from jiki_learning.assistant_tokens import assistant_token
from jiki_learning.commands.converse import ContextType, answer, open_conversation, say
from jiki_learning.errors import AccessDenied, CaptchaRefused, ChallengeNotFound, LessonNotFound, SignatureRefused
from jiki_learning.queries.own_settings import learning_settings
from jiki_learning.schemas import (
    AssistantMessageBody,
    AssistantTokenBody,
    AssistantTokenReply,
    EmptyReply,
    LearnerMessageBody,
)

blp = Blueprint(
    "assistant_conversations", __name__, url_prefix="/assistant_conversations", description="Talks with the assistant"
)


@blp.route("", methods=["POST"])
@policy("learning.learn")
@blp.arguments(AssistantTokenBody)
@blp.response(200, AssistantTokenReply)
@blp.raises(AccessDenied, LessonNotFound, ChallengeNotFound, ValidationFailed)
@blp.raises({CaptchaRefused: (403, "invalid_captcha")})
def create(body: dict[str, Any]) -> Reply:
    """A token for the proxy, for one lesson or one challenge."""
    if not ask(HumanCheck).is_human(body["cf_turnstile_response"], client_address()):
        raise CaptchaRefused()
    context_type, slug = _context(body)
    with unit_of_work() as uow:
        conversation = open_conversation(uow, me().user_id, context_type, slug, learning_settings())
    token = assistant_token(
        me().user_id, conversation.exercise_slug, conversation.context, datetime.now(UTC), learning_settings()
    )
    return never_cache(reply({"token": token}))


@blp.route("/user_messages", methods=["POST"])
@policy("learning.learn")
@blp.arguments(LearnerMessageBody)
@blp.response(200, EmptyReply)
@blp.raises(AccessDenied, LessonNotFound, ChallengeNotFound)
def user_messages(body: dict[str, Any]) -> Reply:
    """Keeps what the learner said."""
    with unit_of_work() as uow:
        say(
            uow,
            me().user_id,
            body["context_type"],
            body["context_identifier"],
            body["content"],
            learning_settings(),
        )
    return reply({})


@blp.route("/assistant_messages", methods=["POST"])
@policy("learning.learn")
@blp.arguments(AssistantMessageBody)
@blp.response(200, EmptyReply)
@blp.raises(AccessDenied, LessonNotFound, ChallengeNotFound)
@blp.raises({SignatureRefused: (401, "invalid_signature")})
def assistant_messages(body: dict[str, Any]) -> Reply:
    """Keeps what the assistant said, if the proxy signed it."""
    with unit_of_work() as uow:
        answer(
            uow,
            me().user_id,
            body["context_type"],
            body["context_identifier"],
            body["content"],
            body["timestamp"],
            body["signature"],
            learning_settings(),
        )
    return reply({})


def _context(body: dict[str, Any]) -> tuple[ContextType, str]:
    """Exactly one of the two is named."""
    if bool(body["lesson_slug"]) == bool(body["challenge_slug"]):
        raise ValidationFailed({"lesson_slug": [FieldError("invalid" if body["lesson_slug"] else "blank")]})
    return ("lesson", body["lesson_slug"]) if body["lesson_slug"] else ("challenge", body["challenge_slug"])
