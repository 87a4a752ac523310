"""`internal/uploads`: tickets with which a browser puts a file straight into the storage."""

from __future__ import annotations

import re
from typing import Any

import marshmallow as ma

from jiki_core.db import unit_of_work
from jiki_core.errors import Forbidden
from jiki_core.http import Blueprint, Reply, Schema, fields, never_cache, reply, root, timestamp
from jiki_core.security import me
from jiki_core.storage.errors import (
    FileEmpty,
    FileTooLarge,
    FileTypeRefused,
    StorageUnavailable,
    TooManyUploads,
    UnknownFileKind,
)
from jiki_core.storage.kinds import LARGEST_BYTES
from jiki_core.storage.tickets import issue_ticket

blp = Blueprint("uploads", __name__, url_prefix="/uploads", description="Direct uploads")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class UploadFields(Schema):
    kind = fields.Text(required=True, maximum=100, metadata={"description": "<plugin>.<kind>"})
    filename = fields.Text(required=True, maximum=1_000)
    byte_size = fields.Whole(required=True, minimum=0, maximum=LARGEST_BYTES)
    sha256 = fields.Text(required=True, metadata={"description": "Of the file, in lower-case hexadecimal"})

    @ma.validates("sha256")
    def _is_a_digest(self, value: str, **_: Any) -> None:
        if not _SHA256.fullmatch(value):
            raise ma.ValidationError("invalid")


class UploadBody(Schema):
    upload = root(UploadFields)


class TicketShape(Schema):
    id = fields.Text(required=True, metadata={"description": "Names the file when it is attached"})
    method = fields.Text(required=True)
    url = fields.Text(required=True)
    headers = fields.Dict(required=True, metadata={"description": "To be sent with the file, exactly"})
    expires_at = fields.Moment(required=True)


class TicketReply(Schema):
    upload = fields.Nested(TicketShape, required=True)
    meta = fields.Dict(required=True)


@blp.route("", methods=["POST"])
@blp.arguments(UploadBody)
@blp.response(201, TicketReply)
@blp.raises(FileTypeRefused, FileEmpty, FileTooLarge, UnknownFileKind, Forbidden, TooManyUploads, StorageUnavailable)
def create(body: dict[str, Any]) -> Reply:
    """A ticket for one file: send it as told, then name the ticket's id where the file belongs."""
    wanted = body["upload"]
    with unit_of_work() as uow:
        ticket = issue_ticket(
            uow,
            me(),
            kind=wanted["kind"],
            filename=wanted["filename"],
            byte_size=wanted["byte_size"],
            sha256=bytes.fromhex(wanted["sha256"]),
        )
    told = {
        "id": str(ticket.id),
        "method": ticket.target.method,
        "url": ticket.target.url,
        "headers": ticket.target.headers,
        "expires_at": timestamp(ticket.expires_at),
    }
    return never_cache(reply({"upload": told}, status=201))
