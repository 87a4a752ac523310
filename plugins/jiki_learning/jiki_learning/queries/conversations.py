"""What was said in a conversation with the assistant, as JSON made by PostgreSQL (contract.md 2.2)."""

from __future__ import annotations

from typing import Literal


def conversation_json(context: Literal["lesson", "challenge"]) -> str:
    """A scalar subquery: JSON text of the messages about `:<context>_id` with `:user_id`, null when nothing was said."""
    return f"""
        (
            select json_agg(
                json_build_object('role', m.role, 'content', m.content, 'timestamp', m.timestamp::json) order by m.id
            )::text
            from learning.assistant_conversations c
            join learning.assistant_messages m on m.conversation_id = c.id
            where c.user_id = :user_id and c.{context}_id = :{context}_id
        )
    """
