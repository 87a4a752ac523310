"""Routes of every kind: signed in, by permission, public, and signed by a service."""

from __future__ import annotations

from typing import Any

from flask import request
from sqlalchemy import delete, select

from acme_frozen.contracts import Applause
from acme_frozen.errors import NoteTooLong, NotOurs
from acme_frozen.guards import SERVICE, WRITE
from acme_frozen.models import Note
from acme_frozen.write import write_note
from jiki_core import (
    Blueprint,
    CountryLocator,
    NetworkReputation,
    PageQuery,
    Reply,
    Schema,
    SignIns,
    ValidationFailed,
    Verdict,
    ask,
    fields,
    me,
    no_content,
    paginate,
    policy,
    public,
    reading,
    reply,
    reply_page,
    signed_in,
    timestamp,
    unit_of_work,
)

blp = Blueprint("frozen", __name__, url_prefix="/frozen", description="Notes")
outside = Blueprint("frozen_outside", __name__, url_prefix="/frozen", description="What everybody may see")
service = Blueprint("frozen_service", __name__, url_prefix="/frozen", description="What services call")


class NoteBody(Schema):
    text = fields.Text(required=True, maximum=1_000)


class NoteShape(Schema):
    id = fields.Whole(required=True)
    text = fields.Text(required=True)
    written_at = fields.Moment(required=True)
    claps = fields.Whole(required=True)


class NoteReply(Schema):
    note = fields.Nested(NoteShape, required=True)
    meta = fields.Dict(required=True)


class NoteList(Schema):
    results = fields.List(fields.Nested(NoteShape), required=True)
    meta = fields.Dict(required=True)


class PlaceReply(Schema):
    country_code = fields.Text(required=True, allow_none=True)
    is_suspect = fields.Flag(required=True)
    meta = fields.Dict(required=True)


@blp.route("")
@policy(signed_in, reason="whoever is signed in may look")
@blp.arguments(PageQuery, location="query")
@blp.response(200, NoteList)
def index(query: dict[str, Any]) -> Reply:
    """The caller's notes, newest first."""
    notes = select(Note).where(Note.user_id == me().user_id).order_by(Note.id.desc())
    page = paginate(reading(), notes, page=query["page"], per=query["per"])
    return reply_page(page, [_shape(note.id, note.text, note.written_at) for note in page.items])


@blp.route("", methods=["POST"])
@policy(WRITE)
@blp.arguments(NoteBody)
@blp.response(201, NoteReply)
@blp.raises(NoteTooLong, ValidationFailed)
def create(body: dict[str, Any]) -> Reply:
    """A new note."""
    with unit_of_work() as uow:
        note = write_note(uow, me().user_id, body["text"])
    return reply({"note": _shape(note.id, body["text"], note.written_at)}, status=201)


@blp.route("/<int:note_id>", methods=["DELETE"])
@policy("frozen.write")
@blp.response(204)
def destroy(note_id: int) -> Reply:
    """Takes a note away; again changes nothing."""
    with unit_of_work() as uow:
        uow.session.execute(delete(Note).where(Note.id == note_id, Note.user_id == me().user_id))
        uow.after_commit(lambda: None)
    return no_content()


@outside.route("")
@policy(public)
@outside.response(200, PlaceReply)
def place() -> Reply:
    """Where the caller seems to be."""
    ip = request.remote_addr or ""
    verdict: Verdict = ask(NetworkReputation).judge(ip)
    return reply({"country_code": ask(CountryLocator).locate(ip), "is_suspect": bool(verdict.is_suspect)})


@service.route("", methods=["POST"])
@policy(SERVICE)
@service.response(204)
@service.raises(NotOurs)
def told() -> Reply:
    """A service tells that a session should stand."""
    ask(SignIns).identity_of(request.headers.get("X-Session", ""))
    return no_content()


def _shape(note_id: int, text: str, written_at: Any) -> dict[str, Any]:
    claps = sum(ask(Applause).clap(note_id))  # type: ignore[call-overload]  # cardinality many: a list of answers
    return {"id": note_id, "text": text, "written_at": timestamp(written_at), "claps": claps}
