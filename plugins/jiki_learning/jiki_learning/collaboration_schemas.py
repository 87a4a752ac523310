"""Bodies that the routes of collaborations take, and the shapes they answer with."""

from __future__ import annotations

from jiki_core.http import Schema, fields
from jiki_learning.commands.share_document import VersionReason
from jiki_learning.queries.collaborations import CollaborationRole
from jiki_learning.schemas import EmptyReply, OfferedFileBody

ROLES = tuple(CollaborationRole)
#: base64 of the largest document
LONGEST_MESSAGE = 240_000


class NewCollaborationBody(Schema):
    lesson_slug = fields.Text(required=True)
    #: the latest submission's when absent
    files = fields.List(fields.Nested(OfferedFileBody), load_default=None, allow_none=True)


class CollaborationBody(Schema):
    collaboration = fields.Nested(NewCollaborationBody, required=True)


class JoinBody(Schema):
    token = fields.Text(required=True, maximum=100)


class NewInvitationBody(Schema):
    role = fields.Choice(ROLES, required=True)
    expires_in_seconds = fields.Whole(minimum=60, load_default=None, allow_none=True)


class InvitationBody(Schema):
    invitation = fields.Nested(NewInvitationBody, required=True)


class ParticipantRoleBody(Schema):
    role = fields.Choice(ROLES, required=True)


class ParticipantBody(Schema):
    participant = fields.Nested(ParticipantRoleBody, required=True)


class HandInBody(Schema):
    #: whether the client's tests passed, if it says
    passed = fields.Flag(load_default=None, allow_none=True)


class SyncBody(Schema):
    filename = fields.Text(required=True, maximum=255)
    #: base64 of one y-protocols sync message
    message = fields.Text(required=True, maximum=LONGEST_MESSAGE)


class SyncReply(EmptyReply):
    messages = fields.List(fields.Text(), required=True)


class ParticipantShape(Schema):
    id = fields.Whole(required=True)
    handle = fields.Text(required=True, allow_none=True)
    name = fields.Text(required=True, allow_none=True)
    role = fields.Choice(ROLES, required=True)
    is_owner = fields.Flag(required=True)
    is_you = fields.Flag(required=True)


class ListedCollaborationShape(Schema):
    uuid = fields.Text(required=True)
    lesson_slug = fields.Text(required=True)
    role = fields.Choice(ROLES, required=True)
    is_owner = fields.Flag(required=True)
    participants = fields.List(fields.Nested(ParticipantShape), required=True)
    created_at = fields.Moment(required=True)
    ended_at = fields.Moment(required=True, allow_none=True)


class DocumentShape(Schema):
    filename = fields.Text(required=True)
    content = fields.Text(required=True)


class CollaborationShape(ListedCollaborationShape):
    documents = fields.List(fields.Nested(DocumentShape), required=True)


class CollaborationReply(EmptyReply):
    collaboration = fields.Nested(CollaborationShape, required=True)


class CollaborationsReply(EmptyReply):
    collaborations = fields.List(fields.Nested(ListedCollaborationShape), required=True)


class InvitationShape(Schema):
    uuid = fields.Text(required=True)
    token = fields.Text(required=True)
    url = fields.Text(required=True)
    role = fields.Choice(ROLES, required=True)
    expires_at = fields.Moment(required=True)


class InvitationReply(EmptyReply):
    invitation = fields.Nested(InvitationShape, required=True)


class ListedVersionShape(Schema):
    id = fields.Whole(required=True)
    filename = fields.Text(required=True)
    reason = fields.Choice(tuple(VersionReason), required=True)
    saved_at = fields.Moment(required=True)


class VersionShape(ListedVersionShape):
    content = fields.Text(required=True)


class VersionsReply(EmptyReply):
    versions = fields.List(fields.Nested(ListedVersionShape), required=True)


class VersionReply(EmptyReply):
    version = fields.Nested(VersionShape, required=True)
