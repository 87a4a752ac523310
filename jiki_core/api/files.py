"""`/files/…`: objects of the disk driver, by a signed link or, below `public/`, by anybody. With S3 the bucket serves them."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
import uuid
from collections.abc import Mapping

from flask import Blueprint, Flask, Response, request, send_file
from sqlalchemy import select
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from jiki_core.db import reading, release_connection
from jiki_core.errors import NO_ROOM, PayloadTooLarge, StorageFull
from jiki_core.http import no_content
from jiki_core.http.mounts import Mounted
from jiki_core.security import public
from jiki_core.storage import FileKind
from jiki_core.storage.content_types import content_disposition
from jiki_core.storage.errors import (
    ChecksumMismatch,
    FileLinkInvalid,
    FileMissing,
    RangeNotSatisfiable,
    SizeMismatch,
    UploadNotFound,
)
from jiki_core.storage.inspection import is_drawn
from jiki_core.storage.models import UploadTicket
from jiki_core.storage.service import DEFAULT_TYPE, PUBLIC, UPLOADS, check_key
from jiki_core.storage.signatures import is_signed
from jiki_core.storage.storage import storage

#: nothing that is served from here may run anything, whatever it is
_CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_CHUNK = 1 << 20


def mount_files(app: Flask, kinds: Mapping[str, FileKind]) -> dict[str, Mounted]:
    """`GET /files/<key>` and `PUT /files/uploads/<id>`; returns their guards. `kinds` say how large a body may be."""
    routes = Blueprint("files", __name__)

    @routes.get("/files/<path:key>")
    def read(key: str) -> Response:
        return _read(key)

    @routes.put(f"/files/{UPLOADS}<uuid:upload_id>")
    def write(upload_id: uuid.UUID) -> Response:
        return _write(upload_id)

    app.register_blueprint(routes)
    largest = max((kind.max_bytes for kind in kinds.values()), default=None)
    return {
        "files.read": Mounted("core", "core", public),
        "files.write": Mounted("core", "core", public, body="raw", body_limit=largest),
    }


def _read(key: str) -> Response:
    """The object, or the range of it that was asked for. Raises FileMissing, FileLinkInvalid."""
    try:
        check_key(key)
    except ValueError:
        raise FileMissing() from None
    disk = storage().disk
    if key.startswith(PUBLIC):
        content_type, cache_rule = disk.headers(key)
        response = _sent(key, content_type)
        response.headers["Cache-Control"] = cache_rule or "no-cache"
        shown_as = content_disposition(key.rpartition("/")[2], inline=is_drawn(content_type))
    else:
        link = request.args.to_dict()
        if key.startswith(UPLOADS) or not is_signed(disk.secret, "GET", key, link, time.time()):
            raise FileLinkInvalid()
        response = _sent(key, link.get("type", DEFAULT_TYPE))
        response.headers["Cache-Control"] = "private, max-age=60"
        is_inline = link.get("inline") == "1" and is_drawn(link.get("type", ""))
        shown_as = content_disposition(link.get("name", "file"), inline=is_inline)
    response.headers["Content-Disposition"] = shown_as
    response.headers["Content-Security-Policy"] = _CONTENT_POLICY
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _sent(key: str, content_type: str) -> Response:
    try:
        return send_file(storage().disk.path(key), mimetype=content_type, conditional=True, etag=True, max_age=None)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise FileMissing() from None
    except RequestedRangeNotSatisfiable as error:
        raise RangeNotSatisfiable(byte_size=error.length) from None


def _write(upload_id: uuid.UUID) -> Response:
    """Takes exactly the file that the ticket was issued for; the same again is fine, as after a lost answer.

    Raises FileLinkInvalid, UploadNotFound, PayloadTooLarge, SizeMismatch, ChecksumMismatch, StorageFull.
    """
    key, link, disk = f"{UPLOADS}{upload_id}", request.args.to_dict(), storage().disk
    if not is_signed(disk.secret, "PUT", key, link, time.time()):
        raise FileLinkInvalid()
    still_open = reading().execute(select(UploadTicket.id).where(UploadTicket.id == upload_id)).scalar_one_or_none()
    if still_open is None:
        raise UploadNotFound()
    release_connection()
    wanted = int(link["size"])
    if request.content_length is not None and request.content_length > wanted:
        raise PayloadTooLarge()
    try:
        with tempfile.TemporaryFile() as arrived:
            digest, size = hashlib.sha256(), 0
            while chunk := request.stream.read(min(_CHUNK, wanted + 1 - size)):
                size += len(chunk)
                if size > wanted:
                    raise SizeMismatch(byte_size=wanted)
                digest.update(chunk)
                arrived.write(chunk)
            if size != wanted:
                raise SizeMismatch(byte_size=wanted)
            if digest.hexdigest() != link["sha256"]:
                raise ChecksumMismatch()
            arrived.seek(0, os.SEEK_SET)
            disk.put(key, arrived)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageFull() from error
        raise
    return no_content()
