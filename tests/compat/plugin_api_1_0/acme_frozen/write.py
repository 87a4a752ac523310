"""Writing a note: the row, the event, the message, the audit entry and the job are one transaction."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from acme_frozen.errors import NoteTooLong
from acme_frozen.events import NoteWritten
from acme_frozen.jobs import report, thank
from acme_frozen.models import Note
from jiki_core import FieldError, JobOptions, UnitOfWork, ValidationFailed
from jiki_core.runtime import runtime


def write_note(uow: UnitOfWork, user_id: int, text: str) -> Any:
    """The new row. Raises NoteTooLong, ValidationFailed."""
    limit = runtime().plugin_settings["frozen"].max_characters
    if len(text) > limit:
        raise NoteTooLong(max_characters=limit)
    if text.isspace():
        raise ValidationFailed({"text": [FieldError("blank")]})
    note = uow.session.execute(
        insert(Note).values(user_id=user_id, text=text, written_at=uow.now).returning(Note.id, Note.written_at)
    ).one()
    uow.emit(NoteWritten(user_id=user_id, note_id=note.id))
    uow.enqueue(thank, user_id=user_id)
    uow.enqueue_at(uow.now + timedelta(days=1), thank, user_id=user_id, is_late=True)
    options = JobOptions(priority="low", owner_id=user_id, order_key=f"frozen:{user_id}")
    uow.enqueue_with(options, report, note_id=note.id)
    uow.broadcast(f"frozen/{user_id}", {"type": "note_written", "note_id": note.id})
    uow.audit("frozen_note:written", actor_id=user_id, target_type="frozen_note", target_id=note.id, plugin="frozen")
    return note
