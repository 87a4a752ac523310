"""What REST tells of test runs and drafts, and takes of drafts."""

from __future__ import annotations

from jiki_core.http import Schema, fields
from jiki_learning.contracts import RunOutcome, TestStatus
from jiki_learning.schemas import EmptyReply
from jiki_learning.test_run_states import TestRunState


class CodePlaceShape(Schema):
    file = fields.Text(required=True)
    line = fields.Whole(required=True)
    function = fields.Text(required=True)
    text = fields.Text(required=True)


class TestResultShape(Schema):
    __test__ = False  # no test case, whatever pytest makes of the name

    id = fields.Text(required=True)
    name = fields.Text(required=True)
    status = fields.Choice(tuple(TestStatus), required=True)
    group = fields.Text(required=True)
    #: the part of the exercise that it belongs to
    task = fields.Whole(required=True, allow_none=True)
    message = fields.Text(required=True)
    #: what was compared, as source text; empty when the failure was no comparison
    expected = fields.Text(required=True)
    actual = fields.Text(required=True)
    error_type = fields.Text(required=True)
    #: what the solution printed during the test
    output = fields.Text(required=True)
    places = fields.List(fields.Nested(CodePlaceShape), required=True)
    duration_ms = fields.Raw(required=True)


class SummaryShape(Schema):
    total = fields.Whole(required=True)
    passed = fields.Whole(required=True)
    failed = fields.Whole(required=True)
    skipped = fields.Whole(required=True)
    not_run = fields.Whole(required=True)


class BreakageShape(Schema):
    error_type = fields.Text(required=True)
    message = fields.Text(required=True)
    places = fields.List(fields.Nested(CodePlaceShape), required=True)
    #: counted from 1; 0 when it is not known
    column = fields.Whole(required=True)


class TestRunShape(Schema):
    __test__ = False  # no test case, whatever pytest makes of the name

    uuid = fields.Text(required=True)
    submission_uuid = fields.Text(required=True)
    state = fields.Choice(tuple(TestRunState), required=True)
    #: while it is queued: 1 is next
    position = fields.Whole(required=True, allow_none=True)
    #: once it is finished
    outcome = fields.Choice(tuple(RunOutcome), required=True, allow_none=True)
    #: whether the outcome is the exercise's passed or failed
    decides = fields.Flag(required=True)
    language = fields.Text(required=True)
    queued_at = fields.Moment(required=True)
    started_at = fields.Moment(required=True, allow_none=True)
    finished_at = fields.Moment(required=True, allow_none=True)
    tests = fields.List(fields.Nested(TestResultShape), required=True)
    summary = fields.Nested(SummaryShape, required=True, allow_none=True)
    message = fields.Text(required=True)
    #: why the solution could not be loaded
    breakage = fields.Nested(BreakageShape, required=True, allow_none=True)
    output = fields.Text(required=True)
    limits_hit = fields.List(fields.Text(), required=True)
    duration_ms = fields.Raw(required=True, allow_none=True)


class TestRunReply(EmptyReply):
    __test__ = False  # no test case, whatever pytest makes of the name

    test_run = fields.Nested(TestRunShape, required=True)


class DraftShape(Schema):
    #: file name → text
    files = fields.Dict(required=True)
    #: counts the learner's edits
    version = fields.Whole(required=True)
    saved_at = fields.Moment(required=True)


class DraftReply(EmptyReply):
    draft = fields.Nested(DraftShape, required=True, allow_none=True)


class DraftBody(Schema):
    files = fields.Dict(required=True)
