"""Bodies that i18n's routes take and give."""

from __future__ import annotations

import marshmallow as ma

from jiki_core.http import Schema, fields


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
