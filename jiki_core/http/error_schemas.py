"""How errors look in the OpenAPI document."""

from __future__ import annotations

import marshmallow as ma


class ErrorBody(ma.Schema):
    """`type` is the symbol clients switch on; further members depend on it."""

    class Meta:
        unknown = ma.INCLUDE

    type = ma.fields.String(required=True, metadata={"description": "Stable symbol"})
    errors = ma.fields.Dict(metadata={"description": "Field name -> list of {error, value?, count?}"})


class ErrorMeta(ma.Schema):
    events = ma.fields.List(ma.fields.Dict(), required=True)


class ErrorReply(ma.Schema):
    """The one error envelope (contract.md section 1)."""

    class Meta:
        unknown = ma.INCLUDE

    error = ma.fields.Nested(ErrorBody, required=True)
    meta = ma.fields.Nested(ErrorMeta)
    request_id = ma.fields.String(required=True)
