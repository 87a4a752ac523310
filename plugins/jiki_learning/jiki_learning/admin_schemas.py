"""Bodies and shapes of learning's routes under `admin` (contract.md 2.2 and 2.6)."""

from __future__ import annotations

from jiki_core.http import PageQuery, Schema, fields, root
from jiki_learning.schemas import LESSON_TYPES, ChallengeShape


class PageFiguresShape(Schema):
    """`meta` of admin lists, which has no events."""

    current_page = fields.Whole(required=True)
    total_count = fields.Whole(required=True)
    total_pages = fields.Whole(required=True)


class LevelPageQuery(PageQuery):
    course_slug = fields.Text(load_default="", allow_blank=True)
    slug = fields.Text(load_default="", allow_blank=True, maximum=100)


class NewLevelValues(Schema):
    slug = fields.Text(required=True)
    position = fields.Whole(minimum=1, allow_none=True)
    milestone_email_subject = fields.Text(allow_blank=True, maximum=200)
    milestone_email_content_markdown = fields.Text(allow_blank=True, maximum=50_000)
    milestone_email_image_url = fields.Text(allow_blank=True, maximum=2_000)


class ChangedLevelValues(NewLevelValues):
    slug = fields.Text()


class NewLevelBody(Schema):
    level = root(NewLevelValues)


class ChangedLevelBody(Schema):
    level = root(ChangedLevelValues)


class AdminLevelShape(Schema):
    id = fields.Whole(required=True)
    slug = fields.Text(required=True)
    position = fields.Whole(required=True)
    milestone_email_subject = fields.Text(required=True)
    milestone_email_content_markdown = fields.Text(required=True)


class AdminLevelReply(Schema):
    level = fields.Nested(AdminLevelShape, required=True)


class AdminLevelPageReply(Schema):
    results = fields.List(fields.Nested(AdminLevelShape), required=True)
    meta = fields.Nested(PageFiguresShape, required=True)


class NewLessonValues(Schema):
    slug = fields.Text(required=True)
    type = fields.Choice(LESSON_TYPES, required=True)
    position = fields.Whole(minimum=1, allow_none=True)
    optional = fields.Flag()
    data = fields.Dict()
    walkthrough_video_data = fields.List(fields.Dict(), allow_none=True)


class ChangedLessonValues(NewLessonValues):
    slug = fields.Text()
    type = fields.Choice(LESSON_TYPES)
    #: moves the lesson to another level of its course
    level_id = fields.Whole(minimum=1)


class NewLessonBody(Schema):
    lesson = root(NewLessonValues)


class ChangedLessonBody(Schema):
    lesson = root(ChangedLessonValues)


class AdminLessonShape(Schema):
    id = fields.Whole(required=True)
    slug = fields.Text(required=True)
    type = fields.Choice(LESSON_TYPES, required=True)
    position = fields.Whole(required=True)
    optional = fields.Flag(required=True)
    data = fields.Dict(required=True)
    walkthrough_video_data = fields.List(fields.Dict(), required=True, allow_none=True)


class AdminLessonReply(Schema):
    lesson = fields.Nested(AdminLessonShape, required=True)


class AdminLessonsReply(Schema):
    lessons = fields.List(fields.Nested(AdminLessonShape), required=True)


class QueuedTranslationsReply(Schema):
    level_slug = fields.Text(required=True)
    queued_locales = fields.List(fields.Text(), required=True)


class NewConceptValues(Schema):
    slug = fields.Text(required=True)
    unlocked_by_lesson_id = fields.Whole(minimum=1, allow_none=True)


class ChangedConceptValues(NewConceptValues):
    slug = fields.Text()


class NewConceptBody(Schema):
    concept = root(NewConceptValues)


class ChangedConceptBody(Schema):
    concept = root(ChangedConceptValues)


class AdminConceptShape(Schema):
    id = fields.Whole(required=True)
    slug = fields.Text(required=True)
    video_data = fields.List(fields.Dict(), required=True, allow_none=True)


class AdminConceptReply(Schema):
    concept = fields.Nested(AdminConceptShape, required=True)


class AdminConceptPageReply(Schema):
    results = fields.List(fields.Nested(AdminConceptShape), required=True)
    meta = fields.Nested(PageFiguresShape, required=True)


class NewChallengeValues(NewConceptValues):
    exercise_slug = fields.Text(required=True)


class ChangedChallengeValues(ChangedConceptValues):
    exercise_slug = fields.Text()


class NewChallengeBody(Schema):
    challenge = root(NewChallengeValues)


class ChangedChallengeBody(Schema):
    challenge = root(ChangedChallengeValues)


class AdminChallengeShape(ChallengeShape):
    id = fields.Whole(required=True)


class AdminChallengeReply(Schema):
    challenge = fields.Nested(AdminChallengeShape, required=True)


class AdminChallengePageReply(Schema):
    results = fields.List(fields.Nested(AdminChallengeShape), required=True)
    meta = fields.Nested(PageFiguresShape, required=True)


class SeededReply(Schema):
    success = fields.Flag(required=True)


class InsightShape(Schema):
    type = fields.Text(required=True)
    severity = fields.Choice(("high", "medium"), required=True)
    lesson_id = fields.Whole(required=True)
    slug = fields.Text(required=True)
    message = fields.Text(required=True)
    value = fields.Raw(required=True)


class ExerciseHealthShape(Schema):
    """Figures are numbers; null where there is nobody to count. See `exercise_health` for what each means."""

    lesson_id = fields.Whole(required=True)
    slug = fields.Text(required=True)
    health_score = fields.Raw(required=True, allow_none=True)
    low_sample = fields.Flag(required=True)
    num_starts = fields.Whole(required=True)
    num_in_progress = fields.Whole(required=True)
    num_completed = fields.Whole(required=True)
    num_bounced = fields.Whole(required=True)
    num_abandoned = fields.Whole(required=True)
    completion_pct = fields.Raw(required=True)
    bounce_pct = fields.Raw(required=True)
    abandon_pct = fields.Raw(required=True)
    reach_start_pct = fields.Raw(required=True)
    completer_median_attempts = fields.Raw(required=True, allow_none=True)
    completer_p90_attempts = fields.Raw(required=True, allow_none=True)
    abandoner_median_attempts = fields.Raw(required=True, allow_none=True)
    struggle_ratio = fields.Raw(required=True, allow_none=True)
    median_minutes_to_complete = fields.Raw(required=True, allow_none=True)
    avg_difficulty = fields.Raw(required=True, allow_none=True)
    avg_fun = fields.Raw(required=True, allow_none=True)
    num_engaged = fields.Whole(required=True)
    ask_jiki_pct = fields.Raw(required=True)


class ExerciseAnalyticsReply(Schema):
    insights = fields.List(fields.Nested(InsightShape), required=True)
    exercises = fields.List(fields.Nested(ExerciseHealthShape), required=True)
