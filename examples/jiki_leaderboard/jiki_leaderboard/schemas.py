"""What the route gives."""

from __future__ import annotations

from jiki_core.http import Schema, fields


class StandingShape(Schema):
    place = fields.Whole(required=True)
    handle = fields.Text(required=True)
    points = fields.Whole(required=True)
    is_premium = fields.Flag(required=True)
    is_me = fields.Flag(required=True)


class LeaderboardReply(Schema):
    week = fields.Text(required=True)
    standings = fields.List(fields.Nested(StandingShape), required=True)
    meta = fields.Dict(required=True)
