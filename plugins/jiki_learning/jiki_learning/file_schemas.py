"""Bodies and shapes of files: attachments of submissions, materials of lessons, images of texts."""

from __future__ import annotations

from jiki_core.http import Schema, fields, root
from jiki_learning.schemas import EmptyReply


class UploadedFile(Schema):
    upload_id = fields.Text(required=True, metadata={"description": "Of a ticket from `POST internal/uploads`"})


class FileShape(Schema):
    id = fields.Text(required=True)
    filename = fields.Text(required=True)
    content_type = fields.Text(required=True)
    byte_size = fields.Whole(required=True)
    sha256 = fields.Text(required=True)
    #: of images
    width = fields.Whole(required=True, allow_none=True)
    height = fields.Whole(required=True, allow_none=True)
    created_at = fields.Moment(required=True)
    url = fields.Text(required=True, metadata={"description": "Works for a while; ask again rather than keep it"})


class AttachmentBody(Schema):
    attachment = root(UploadedFile)


class AttachmentReply(EmptyReply):
    attachment = fields.Nested(FileShape, required=True)


class AttachmentsReply(EmptyReply):
    attachments = fields.List(fields.Nested(FileShape), required=True)


class MaterialsReply(EmptyReply):
    materials = fields.List(fields.Nested(FileShape), required=True)


class MaterialBody(Schema):
    material = root(UploadedFile)


class AdminMaterialReply(Schema):
    material = fields.Nested(FileShape, required=True)


class AdminMaterialsReply(Schema):
    materials = fields.List(fields.Nested(FileShape), required=True)


class ImageBody(Schema):
    """A PNG, JPEG, GIF or WebP image of at most 5 MB."""

    image = fields.Raw(required=True, metadata={"type": "string", "format": "binary"})


class ImageReply(Schema):
    url = fields.Text(required=True)
