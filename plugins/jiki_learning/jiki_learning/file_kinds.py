"""Kinds of files that learning keeps: what learners add to a submission, course material, and images of texts."""

from __future__ import annotations

from jiki_core.storage import FileKind

_MEGABYTE = 1024 * 1024
_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_TEXTS = ("text/plain", "text/markdown", "text/csv", "application/json")

#: names under which files are stored; public API
SUBMISSION_KIND = "learning.submission"
MATERIAL_KIND = "learning.material"
IMAGE_KIND = "learning.image"

#: files of one submission besides its code
MAX_SUBMISSION_ATTACHMENTS = 5
#: files of one lesson
MAX_MATERIALS = 30

IMAGE = FileKind("image", 5 * _MEGABYTE, _IMAGES, is_public=True, is_direct=False, is_personal=False)
FILE_KINDS = (
    FileKind("submission", 10 * _MEGABYTE, (*_IMAGES, *_TEXTS, "application/pdf", "application/zip")),
    FileKind(
        "material",
        50 * _MEGABYTE,
        (*_IMAGES, *_TEXTS, "application/pdf", "application/zip", "video/mp4", "audio/mpeg"),
        is_personal=False,
        permission="learning.edit_content",
    ),
    IMAGE,
)
