"""Conversations with the assistant, about a lesson or a challenge (contract.md 3.17)."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import IdentityKey, Timestamp
from jiki_learning.models.base import LearningModel, UserKey


class AssistantConversation(LearningModel):
    __tablename__ = "assistant_conversations"

    id: Mapped[IdentityKey]
    user_id: Mapped[UserKey]
    lesson_id: Mapped[int | None] = mapped_column(ForeignKey("learning.lessons.id", ondelete="CASCADE"))
    challenge_id: Mapped[int | None] = mapped_column(ForeignKey("learning.challenges.id", ondelete="CASCADE"))
    created_at: Mapped[Timestamp]
    #: the latest message or token; free users may go on with the latest of their lessons' conversations only
    updated_at: Mapped[Timestamp]

    __table_args__ = (
        CheckConstraint("num_nonnulls(lesson_id, challenge_id) = 1", name="has_one_context"),
        UniqueConstraint("user_id", "lesson_id"),
        UniqueConstraint("user_id", "challenge_id"),
        Index("assistant_conversations_lesson_id_idx", "lesson_id"),
        Index("assistant_conversations_challenge_id_idx", "challenge_id"),
    )


class AssistantMessage(LearningModel):
    __tablename__ = "assistant_messages"

    id: Mapped[IdentityKey]
    conversation_id: Mapped[int] = mapped_column(ForeignKey("learning.assistant_conversations.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text)
    #: JSON of a text or a number, as the proxy signed it; null for the learner's own messages
    timestamp: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[Timestamp]

    __table_args__ = (
        CheckConstraint("role in ('user', 'assistant')", name="role"),
        Index("assistant_messages_conversation_idx", "conversation_id", "id"),
    )
