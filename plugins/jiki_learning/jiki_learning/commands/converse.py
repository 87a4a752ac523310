"""Conversations with the assistant: who may talk about what, and what was said (contract.md 3.9 and 3.17).

A free learner may talk about one lesson, that of the latest conversation about a lesson; about challenges only premium
members talk. Per day and month there is a number of messages for everybody.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from jiki_core.contracts import Entitlements, ask
from jiki_core.db import UnitOfWork
from jiki_learning.assistant_tokens import is_signed
from jiki_learning.badge_rules import BadgeCheck
from jiki_learning.errors import AccessDenied, SignatureRefused
from jiki_learning.jobs import check_badges
from jiki_learning.models import AssistantConversation, AssistantMessage
from jiki_learning.queries.catalogue import find_challenge, find_lesson
from jiki_learning.queries.challenges import PREMIUM
from jiki_learning.settings import LearningSettings

ContextType = Literal["lesson", "challenge"]
DAY, MONTH = timedelta(days=1), timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation that the learner may have. `exercise_slug` is what the proxy knows the exercise by."""

    id: int
    exercise_slug: str
    #: a claim of the proxy's token
    context: dict[str, str]


def open_conversation(
    uow: UnitOfWork, user_id: int, context_type: ContextType, slug: str, settings: LearningSettings
) -> Conversation:
    """For somebody who is about to talk. Raises LessonNotFound, ChallengeNotFound, AccessDenied."""
    conversation = _conversation(uow, user_id, context_type, slug)
    _check_allowance(uow, user_id, settings)
    return conversation


def say(
    uow: UnitOfWork, user_id: int, context_type: ContextType, slug: str, content: str, settings: LearningSettings
) -> None:
    """Keeps a learner's message. Raises what `open_conversation` raises."""
    conversation = open_conversation(uow, user_id, context_type, slug, settings)
    is_first = not _has_spoken(uow, conversation.id)
    _add(uow, conversation.id, "user", content, None)
    if is_first:
        uow.enqueue(check_badges, user_id=user_id, check=BadgeCheck.ASSISTANT_ASKED.value)


def answer(
    uow: UnitOfWork,
    user_id: int,
    context_type: ContextType,
    slug: str,
    content: str,
    timestamp: str | int,
    signature: str,
    settings: LearningSettings,
) -> None:
    """Keeps an answer of the assistant, the last allowed one too.

    Raises SignatureRefused, LessonNotFound, ChallengeNotFound, AccessDenied.
    """
    if not is_signed(user_id, content, timestamp, signature, settings):
        raise SignatureRefused()
    conversation = _conversation(uow, user_id, context_type, slug)
    _add(uow, conversation.id, "assistant", content, timestamp)


def _conversation(uow: UnitOfWork, user_id: int, context_type: ContextType, slug: str) -> Conversation:
    """Made when there is none yet. Raises as `open_conversation` does, but whatever the allowance."""
    if context_type == "lesson":
        lesson = find_lesson(slug)
        context = {"lesson_id": lesson.id}
        exercise_slug = lesson.slug
    else:
        challenge = find_challenge(slug)
        context = {"challenge_id": challenge.id}
        exercise_slug = challenge.exercise_slug
    # One decision at a time for a learner, so that two at once cannot both be about "the first" lesson.
    uow.session.execute(
        text("select pg_advisory_xact_lock(hashtextextended('learning.assistant/' || :user_id, 0))"),
        {"user_id": str(user_id)},
    )
    _check_plan(uow, user_id, context.get("lesson_id"))
    conversation_id = uow.session.execute(
        upsert(AssistantConversation)
        .values(user_id=user_id, created_at=uow.now, updated_at=uow.now, **context)
        .on_conflict_do_update(
            index_elements=[
                AssistantConversation.user_id,
                AssistantConversation.lesson_id if context_type == "lesson" else AssistantConversation.challenge_id,
            ],
            set_={"updated_at": uow.now},
        )
        .returning(AssistantConversation.id)
    ).scalar_one()
    return Conversation(conversation_id, exercise_slug, {f"{context_type}_slug": slug})


def _check_plan(uow: UnitOfWork, user_id: int, lesson_id: int | None) -> None:
    if lesson_id is not None:
        talks_about = uow.session.execute(
            select(AssistantConversation.lesson_id)
            .where(AssistantConversation.user_id == user_id, AssistantConversation.lesson_id.is_not(None))
            .order_by(AssistantConversation.updated_at.desc(), AssistantConversation.id.desc())
            .limit(1)
        ).scalar_one_or_none()
        if talks_about in (None, lesson_id):
            return
    if not ask(Entitlements).check(user_id, PREMIUM):
        raise AccessDenied()


def _check_allowance(uow: UnitOfWork, user_id: int, settings: LearningSettings) -> None:
    mine = (
        AssistantMessage.role == "user",
        AssistantConversation.user_id == user_id,
        AssistantMessage.received_at > uow.now - MONTH,
    )
    today, this_month = uow.session.execute(
        select(func.count().filter(AssistantMessage.received_at > uow.now - DAY), func.count())
        .select_from(AssistantMessage)
        .join(AssistantConversation, AssistantConversation.id == AssistantMessage.conversation_id)
        .where(*mine)
    ).one()
    if today >= settings.assistant_messages_per_day or this_month >= settings.assistant_messages_per_month:
        raise AccessDenied(reason="allowance_used_up")


def _has_spoken(uow: UnitOfWork, conversation_id: int) -> bool:
    spoken = select(AssistantMessage.id).where(
        AssistantMessage.conversation_id == conversation_id, AssistantMessage.role == "user"
    )
    return uow.session.execute(spoken.limit(1)).first() is not None


def _add(uow: UnitOfWork, conversation_id: int, role: str, content: str, timestamp: str | int | None) -> None:
    uow.session.execute(
        insert(AssistantMessage).values(
            conversation_id=conversation_id,
            role=role,
            content=content,
            timestamp=None if timestamp is None else json.dumps(timestamp),
            received_at=uow.now,
        )
    )
    uow.session.execute(
        update(AssistantConversation).where(AssistantConversation.id == conversation_id).values(updated_at=uow.now)
    )
