"""The English texts of milestone mails, as translators get them."""

from __future__ import annotations

from sqlalchemy import select

from jiki_core.db import reading
from jiki_learning.models import Level
from jiki_learning.plain_messages import as_message

#: namespace of the keys under which translators find the texts
NAMESPACE = "learning"


def message_key(level_slug: str, column: str) -> str:
    """The key of one text of a level; slugs have no dots."""
    return f"levels.{level_slug}.{column}"


def milestone_messages() -> dict[str, str]:
    """Key → ICU message, of every level that has a milestone mail."""
    columns = (Level.milestone_email_subject, Level.milestone_email_content_markdown)
    rows = reading().execute(select(Level.slug, *columns).where(Level.milestone_email_subject != ""))
    return {
        message_key(row.slug, column.key): as_message(text)
        for row in rows
        for column, text in zip(columns, row[1:], strict=True)
        if text
    }
