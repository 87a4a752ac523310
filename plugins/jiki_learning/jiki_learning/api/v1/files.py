"""`internal/submissions/:uuid/attachments` and `internal/lessons/:slug/materials`: files besides code and texts."""

from __future__ import annotations

from typing import Any

from jiki_core.db import unit_of_work
from jiki_core.errors import NotFound
from jiki_core.http import Blueprint, Reply, never_cache, no_content, policy, reply
from jiki_core.security import me
from jiki_core.storage import take_upload
from jiki_core.storage.errors import TAKING_ERRORS
from jiki_learning.commands.attach_files import attach_to_submission, detach_from_submission
from jiki_learning.errors import LessonNotFound, TooManyFiles
from jiki_learning.file_kinds import SUBMISSION_KIND
from jiki_learning.file_schemas import AttachmentBody, AttachmentReply, AttachmentsReply, MaterialsReply
from jiki_learning.queries.attached_files import file_shape, lesson_materials, own_submission_id, submission_files
from jiki_learning.queries.catalogue import find_lesson

submissions = Blueprint("submissions", __name__, url_prefix="/submissions", description="Files of submissions")
materials = Blueprint("materials", __name__, url_prefix="/lessons", description="Course materials")


@submissions.route("/<uuid>/attachments")
@policy("learning.learn")
@submissions.response(200, AttachmentsReply)
@submissions.raises(NotFound)
def index(uuid: str) -> Reply:
    """What the learner added to a submission, oldest first, with links for a while."""
    return never_cache(reply({"attachments": submission_files(own_submission_id(me().user_id, uuid))}))


@submissions.route("/<uuid>/attachments", methods=["POST"])
@policy("learning.learn")
@submissions.arguments(AttachmentBody)
@submissions.response(201, AttachmentReply)
@submissions.raises(NotFound, TooManyFiles, *TAKING_ERRORS)
def create(body: dict[str, Any], uuid: str) -> Reply:
    """Adds a file that was uploaded with a ticket of the kind `learning.submission`."""
    submission_id = own_submission_id(me().user_id, uuid)
    staged = take_upload(body["attachment"]["upload_id"], kind=SUBMISSION_KIND, user_id=me().user_id)
    with unit_of_work() as uow:
        file = attach_to_submission(uow, submission_id, staged)
    return never_cache(reply({"attachment": file_shape(file)}, status=201))


@submissions.route("/<uuid>/attachments/<file_id>", methods=["DELETE"])
@policy("learning.learn")
@submissions.response(204)
@submissions.raises(NotFound)
def delete(uuid: str, file_id: str) -> Reply:
    """Takes a file off a submission."""
    with unit_of_work() as uow:
        detach_from_submission(uow, own_submission_id(me().user_id, uuid), file_id)
    return no_content()


@materials.route("/<slug>/materials")
@policy("learning.learn")
@materials.response(200, MaterialsReply)
@materials.raises(LessonNotFound)
def of_lesson(slug: str) -> Reply:
    """Files that go with a lesson, oldest first, with links for a while."""
    return never_cache(reply({"materials": lesson_materials(find_lesson(slug).id)}))
