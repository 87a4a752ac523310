"""`admin/images` (contract.md 2.6) and the course materials of `admin/levels/:id/lessons/:id/materials`."""

from __future__ import annotations

from typing import Any

from jiki_core.db import unit_of_work
from jiki_core.errors import NotFound, PayloadTooLarge, StorageFull, ValidationFailed
from jiki_core.http import Blueprint, Reply, never_cache, no_content, policy, reply
from jiki_core.security import me
from jiki_core.storage import store, take_upload
from jiki_core.storage.content_types import type_of_bytes
from jiki_core.storage.errors import (
    TAKING_ERRORS,
    FileDisguised,
    FileEmpty,
    FileTooLarge,
    FileTypeRefused,
    ImageTooLarge,
    StorageUnavailable,
)
from jiki_learning.api.v1.row_ids import row_id
from jiki_learning.commands.attach_files import add_material, keep_image, remove_material
from jiki_learning.errors import LessonNotFound, LevelNotFound, TooManyFiles
from jiki_learning.file_kinds import IMAGE, IMAGE_KIND, MATERIAL_KIND
from jiki_learning.file_schemas import AdminMaterialReply, AdminMaterialsReply, ImageBody, ImageReply, MaterialBody
from jiki_learning.queries.attached_files import file_shape, lesson_materials, lesson_of_level

images = Blueprint("images", __name__, url_prefix="/images", description="Images of texts")
materials = Blueprint("materials", __name__, url_prefix="/levels", description="Course materials")
#: of the whole request: the largest image and what a browser puts around it
_BODY_BYTES = IMAGE.max_bytes + 64 * 1024
#: what the web client knows instead of our finer symbols
_NO_IMAGE = (422, "invalid_image_type")


@images.route("", methods=["POST"])
@policy("learning.edit_content")
@images.body_limit(_BODY_BYTES)
@images.arguments(ImageBody, location="files")
@images.response(201, ImageReply)
@images.raises(FileTooLarge, StorageUnavailable, StorageFull)
@images.raises(
    {
        ValidationFailed: (422, "no_image_provided"),
        PayloadTooLarge: (422, "file_too_large"),
        FileTypeRefused: _NO_IMAGE,
        FileDisguised: _NO_IMAGE,
        ImageTooLarge: _NO_IMAGE,
        FileEmpty: _NO_IMAGE,
    }
)
def create(files: dict[str, Any]) -> Reply:
    """Keeps an image for milestone mails and the like; its URL is everybody's and never changes."""
    stream = files["image"].stream
    known = type_of_bytes(stream.read(8_192))
    extension = known.extension if known is not None else ""  # the bytes decide, whatever it was called
    staged = store(IMAGE_KIND, stream, filename=f"image{extension}")
    with unit_of_work() as uow:
        file = keep_image(uow, staged)
    return reply({"url": file.public_url}, status=201)


@materials.route("/<level_id>/lessons/<lesson_id>/materials")
@policy("learning.edit_content")
@materials.response(200, AdminMaterialsReply)
@materials.raises(LevelNotFound, LessonNotFound)
def index(level_id: str, lesson_id: str) -> Reply:
    """A lesson's files, oldest first."""
    return never_cache(reply({"materials": lesson_materials(_lesson(level_id, lesson_id))}))


@materials.route("/<level_id>/lessons/<lesson_id>/materials", methods=["POST"])
@policy("learning.edit_content")
@materials.arguments(MaterialBody)
@materials.response(201, AdminMaterialReply)
@materials.raises(LevelNotFound, LessonNotFound, TooManyFiles, *TAKING_ERRORS)
def add(body: dict[str, Any], level_id: str, lesson_id: str) -> Reply:
    """Adds a file that was uploaded with a ticket of the kind `learning.material`."""
    lesson = _lesson(level_id, lesson_id)
    staged = take_upload(body["material"]["upload_id"], kind=MATERIAL_KIND, user_id=me().user_id)
    with unit_of_work() as uow:
        file = add_material(uow, lesson, staged)
    return never_cache(reply({"material": file_shape(file)}, status=201))


@materials.route("/<level_id>/lessons/<lesson_id>/materials/<file_id>", methods=["DELETE"])
@policy("learning.edit_content")
@materials.response(204)
@materials.raises(LevelNotFound, LessonNotFound, NotFound)
def remove(level_id: str, lesson_id: str, file_id: str) -> Reply:
    """Takes a file off a lesson."""
    with unit_of_work() as uow:
        remove_material(uow, _lesson(level_id, lesson_id), file_id)
    return no_content()


def _lesson(level_id: str, lesson_id: str) -> int:
    return lesson_of_level(row_id(level_id, LevelNotFound), row_id(lesson_id, LessonNotFound))
