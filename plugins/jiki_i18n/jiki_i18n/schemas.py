"""Bodies that i18n's routes take and give."""

from __future__ import annotations

import marshmallow as ma

from jiki_core.http import PageQuery, Schema, fields, root
from jiki_i18n.catalogues import Layout
from jiki_i18n.exchange import FORMATS, ConflictPolicy
from jiki_i18n.locales import LocaleState
from jiki_i18n.messages import MESSAGE_LIMIT_CHARACTERS


class CatalogueReply(Schema):
    """A catalogue: objects in objects with messages for leaves. It is the published file, byte for byte, so it has no
    `meta`: every key in it is a message's."""

    class Meta:
        unknown = ma.INCLUDE


class ServedLocaleShape(Schema):
    tag = fields.Text(required=True)
    name = fields.Text(required=True)
    own_name = fields.Text(required=True)
    direction = fields.Choice(("ltr", "rtl"), required=True)


class ServedLocalesReply(Schema):
    locales = fields.List(fields.Nested(ServedLocaleShape), required=True)
    meta = fields.Dict(required=True)


class PointerReply(Schema):
    """The same members as `current.json` in the storage."""

    locale = fields.Text(required=True)
    catalogues = fields.Dict(required=True, metadata={"description": "namespace → content-hashed file name"})
    meta = fields.Dict(required=True)


# -- what the editing API takes ---------------------------------------------------------------------------------------


class MessagesQuery(PageQuery):
    locale = ma.fields.String(load_default="")
    namespace = ma.fields.String(load_default="")
    state = ma.fields.String(load_default="", metadata={"description": "needs a locale; missing is one of them"})
    query = ma.fields.String(load_default="", metadata={"description": "part of key, source or translation"})
    retired = ma.fields.String(load_default="", metadata={"description": "true: keys out of use instead"})


class LocaleQuery(ma.Schema):
    class Meta:
        unknown = ma.EXCLUDE

    locale = ma.fields.String(load_default="")


class NamespaceFields(Schema):
    name = fields.Text(required=True, maximum=64)
    description = fields.Text(load_default="", allow_blank=True, maximum=1_000)
    layout = fields.Choice([one.value for one in Layout], load_default=Layout.NESTED.value)


class NamespaceBody(Schema):
    namespace = root(NamespaceFields)


class NamespaceChanges(Schema):
    description = fields.Text(allow_blank=True, maximum=1_000)
    layout = fields.Choice([one.value for one in Layout])


class NamespaceChangesBody(Schema):
    namespace = root(NamespaceChanges)


class NewMessageFields(Schema):
    namespace = fields.Text(required=True, maximum=64)
    key = fields.Text(required=True, maximum=1_000)
    source = fields.Text(required=True, maximum=MESSAGE_LIMIT_CHARACTERS)
    description = fields.Text(load_default="", allow_blank=True, maximum=5_000)
    max_length = fields.Whole(load_default=None, allow_none=True, minimum=1, maximum=MESSAGE_LIMIT_CHARACTERS)
    screenshot_url = fields.Text(load_default="", allow_blank=True, maximum=2_000)


class NewMessageBody(Schema):
    message = root(NewMessageFields)


class MessageChanges(Schema):
    version = fields.Whole(required=True, minimum=1)
    source = fields.Text(maximum=MESSAGE_LIMIT_CHARACTERS)
    description = fields.Text(allow_blank=True, maximum=5_000)
    max_length = fields.Whole(allow_none=True, minimum=1, maximum=MESSAGE_LIMIT_CHARACTERS)
    screenshot_url = fields.Text(allow_blank=True, maximum=2_000)


class MessageChangesBody(Schema):
    message = root(MessageChanges)


class TranslationFields(Schema):
    text = fields.Text(required=True, maximum=MESSAGE_LIMIT_CHARACTERS)
    version = fields.Whole(required=True, minimum=0, metadata={"description": "the one you saw; 0 = there was none"})
    comment = fields.Text(load_default=None, allow_none=True, allow_blank=True, maximum=5_000)
    reviewed = fields.Flag(load_default=False, metadata={"description": "approve at once; for managers"})


class TranslationBody(Schema):
    translation = root(TranslationFields)


class ApprovalFields(Schema):
    version = fields.Whole(required=True, minimum=1)


class ApprovalBody(Schema):
    translation = root(ApprovalFields)


class ReturnFields(Schema):
    version = fields.Whole(required=True, minimum=1)
    reason = fields.Text(required=True, maximum=5_000)


class ReturnBody(Schema):
    translation = root(ReturnFields)


class CommentFields(Schema):
    locale = fields.Text(load_default="", allow_blank=True, maximum=35)
    body = fields.Text(required=True, maximum=5_000)


class CommentBody(Schema):
    comment = root(CommentFields)


class SeenTranslation(Schema):
    message_id = fields.Whole(required=True, minimum=1)
    version = fields.Whole(required=True, minimum=1)


class BulkApprovalFields(Schema):
    locale = fields.Text(required=True, maximum=35)
    translations = fields.List(
        fields.Nested(SeenTranslation), required=True, validate=ma.validate.Length(min=1, max=100, error="invalid")
    )


class BulkApprovalBody(Schema):
    approval = root(BulkApprovalFields)


class MachineFields(Schema):
    locale = fields.Text(required=True, maximum=35)
    namespace = fields.Text(required=True, maximum=64)
    message_ids = fields.List(
        fields.Whole(minimum=1), load_default=list, metadata={"description": "none = all missing"}
    )


class MachineBody(Schema):
    translation = root(MachineFields)


class GrantFields(Schema):
    may_review = fields.Flag(load_default=False)


class GrantBody(Schema):
    translator = root(GrantFields)


class LocaleFields(Schema):
    state = fields.Choice([one.value for one in LocaleState], required=True)
    force = fields.Flag(load_default=False)


class LocaleBody(Schema):
    locale = root(LocaleFields)


class PublicationFields(Schema):
    locales = fields.List(fields.Text(maximum=35), load_default=list, metadata={"description": "none = those served"})
    namespaces = fields.List(fields.Text(maximum=64), load_default=list, metadata={"description": "none = all"})
    unreviewed = fields.Flag(load_default=None, allow_none=True)
    force = fields.Flag(load_default=False)
    reason = fields.Text(load_default="", allow_blank=True, maximum=1_000)


class PublicationBody(Schema):
    publication = root(PublicationFields)


class ImportFields(Schema):
    format = fields.Choice(list(FORMATS), required=True)
    content = fields.Text(required=True)
    base = fields.Text(load_default=None, allow_none=True)
    policy = fields.Choice([one.value for one in ConflictPolicy], load_default=ConflictPolicy.REFUSE.value)
    dry_run = fields.Flag(load_default=False)
    reviewed = fields.Flag(load_default=False, metadata={"description": "what the file calls reviewed is"})


class ImportBody(Schema):
    document = root(ImportFields)


class ExportQuery(ma.Schema):
    class Meta:
        unknown = ma.EXCLUDE

    format = ma.fields.String(load_default="json")


# -- what it gives ----------------------------------------------------------------------------------------------------


class TranslationShape(Schema):
    locale = fields.Text(required=True)
    text = fields.Text(required=True)
    state = fields.Text(required=True)
    reviewed_text = fields.Text(required=True, allow_none=True)
    comment = fields.Text(required=True, allow_blank=True)
    version = fields.Whole(required=True)
    author_id = fields.Whole(required=True, allow_none=True)
    reviewer_id = fields.Whole(required=True, allow_none=True)
    updated_at = fields.Moment(required=True)


class MessageShape(Schema):
    id = fields.Whole(required=True)
    namespace = fields.Text(required=True)
    key = fields.Text(required=True)
    source = fields.Text(required=True, allow_blank=True)
    description = fields.Text(required=True, allow_blank=True)
    placeholders = fields.List(fields.Text(), required=True)
    max_length = fields.Whole(required=True, allow_none=True)
    screenshot_url = fields.Text(required=True, allow_blank=True)
    version = fields.Whole(required=True)
    is_retired = fields.Flag(required=True)
    updated_at = fields.Moment(required=True)
    translation = fields.Nested(TranslationShape, required=True, allow_none=True)


class MessagesReply(Schema):
    results = fields.List(fields.Nested(MessageShape), required=True)
    meta = fields.Dict(required=True)


class MessageReply(Schema):
    message = fields.Nested(MessageShape, required=True)


class WholeMessageReply(Schema):
    message = fields.Nested(MessageShape, required=True)
    translations = fields.List(fields.Nested(TranslationShape), required=True)


class VersionShape(Schema):
    version = fields.Whole(required=True)
    text = fields.Text(required=True)
    state = fields.Text(required=True)
    origin = fields.Text(required=True)
    author_id = fields.Whole(required=True, allow_none=True)
    created_at = fields.Moment(required=True)


class HistoryReply(Schema):
    versions = fields.List(fields.Nested(VersionShape), required=True)


class CommentShape(Schema):
    id = fields.Whole(required=True)
    locale = fields.Text(required=True, allow_blank=True)
    author_id = fields.Whole(required=True, allow_none=True)
    body = fields.Text(required=True)
    created_at = fields.Moment(required=True)
    resolved_at = fields.Moment(required=True, allow_none=True)


class CommentsReply(Schema):
    comments = fields.List(fields.Nested(CommentShape), required=True)


class BulkReply(Schema):
    written = fields.Whole(required=True)
    refused = fields.List(fields.Dict(), required=True)


class QueuedReply(Schema):
    queued = fields.Whole(required=True)


class LocaleShape(Schema):
    tag = fields.Text(required=True)
    name = fields.Text(required=True)
    own_name = fields.Text(required=True)
    direction = fields.Text(required=True)
    state = fields.Text(required=True)
    fallbacks = fields.List(fields.Text(), required=True)
    may_write = fields.Flag(required=True)
    may_review = fields.Flag(required=True)


class LocalesReply(Schema):
    locales = fields.List(fields.Nested(LocaleShape), required=True)


class LocaleReply(Schema):
    locale = fields.Nested(LocaleShape, required=True)


class NamespaceShape(Schema):
    name = fields.Text(required=True)
    owner = fields.Text(required=True, allow_blank=True)
    description = fields.Text(required=True, allow_blank=True)
    layout = fields.Text(required=True)


class NamespacesReply(Schema):
    namespaces = fields.List(fields.Nested(NamespaceShape), required=True)


class NamespaceReply(Schema):
    namespace = fields.Nested(NamespaceShape, required=True)


class CompletenessShape(Schema):
    locale = fields.Text(required=True)
    namespace = fields.Text(required=True)
    total = fields.Whole(required=True)
    percent = fields.Whole(required=True)
    missing = fields.Whole(required=True)
    machine = fields.Whole(required=True)
    draft = fields.Whole(required=True)
    reviewed = fields.Whole(required=True)
    stale = fields.Whole(required=True)


class StatisticsReply(Schema):
    completeness = fields.List(fields.Nested(CompletenessShape), required=True)


class TranslatorShape(Schema):
    user_id = fields.Whole(required=True)
    locale = fields.Text(required=True)
    may_review = fields.Flag(required=True)
    granted_at = fields.Moment(required=True)


class TranslatorsReply(Schema):
    translators = fields.List(fields.Nested(TranslatorShape), required=True)


class PublicationShape(Schema):
    id = fields.Whole(required=True)
    state = fields.Text(required=True)
    is_current = fields.Flag(required=True)
    may_be_current = fields.Flag(required=True)
    locales = fields.List(fields.Text(), required=True)
    namespaces = fields.List(fields.Text(), required=True)
    includes_unreviewed = fields.Flag(required=True)
    total = fields.Whole(required=True)
    done = fields.Whole(required=True)
    author_id = fields.Whole(required=True, allow_none=True)
    reason = fields.Text(required=True, allow_blank=True)
    created_at = fields.Moment(required=True)
    finished_at = fields.Moment(required=True, allow_none=True)


class PublicationsReply(Schema):
    results = fields.List(fields.Nested(PublicationShape), required=True)
    meta = fields.Dict(required=True)


class PublicationReply(Schema):
    publication = fields.Nested(PublicationShape, required=True, allow_none=True)


class ImportedShape(Schema):
    locale = fields.Text(required=True)
    namespace = fields.Text(required=True)
    counts = fields.Dict(required=True)
    diff = fields.List(fields.Text(), required=True)
    is_refused = fields.Flag(required=True)


class ImportedReply(Schema):
    imported = fields.Nested(ImportedShape, required=True)
