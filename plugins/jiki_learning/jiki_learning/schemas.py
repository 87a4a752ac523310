"""Bodies and queries that learning's routes take, and the shapes they answer with (contract.md 2.2)."""

from __future__ import annotations

from jiki_core.http import Schema, fields


class CourseQuery(Schema):
    course_slug = fields.Text(load_default="", allow_blank=True)


class EventShape(Schema):
    type = fields.Text(required=True)
    data = fields.Dict(required=True)


class MetaShape(Schema):
    events = fields.List(fields.Nested(EventShape), required=True)


class EmptyReply(Schema):
    meta = fields.Nested(MetaShape, required=True)


class CourseShape(Schema):
    slug = fields.Text(required=True)


class CoursesReply(EmptyReply):
    courses = fields.List(fields.Nested(CourseShape), required=True)


class CourseReply(EmptyReply):
    course = fields.Nested(CourseShape, required=True)


class UserCourseShape(Schema):
    course_slug = fields.Text(required=True)
    language = fields.Choice(("javascript", "python"), required=True, allow_none=True)
    language_chosen = fields.Flag(required=True)
    current_level_slug = fields.Text(required=True, allow_none=True)
    completed = fields.Flag(required=True)


class UserCoursesReply(EmptyReply):
    user_courses = fields.List(fields.Nested(UserCourseShape), required=True)


class UserCourseReply(EmptyReply):
    user_course = fields.Nested(UserCourseShape, required=True)


class LanguageBody(Schema):
    language = fields.Text(load_default="", allow_blank=True, allow_none=True)


class ListedLessonShape(Schema):
    slug = fields.Text(required=True)
    type = fields.Choice(("exercise", "video", "choose_language", "quiz"), required=True)
    walkthrough_video_data = fields.List(fields.Dict(), required=True, allow_none=True)
    #: only when true: may be done, need not be
    optional = fields.Flag()


class LevelShape(Schema):
    slug = fields.Text(required=True)
    lessons = fields.List(fields.Nested(ListedLessonShape), required=True)


class LevelsReply(EmptyReply):
    levels = fields.List(fields.Nested(LevelShape), required=True)


class UserLevelLessonShape(Schema):
    lesson_slug = fields.Text(required=True)
    status = fields.Choice(("not_started", "started", "completed"), required=True)
    walkthrough_video_watched_percentage = fields.Whole(required=True, allow_none=True)


class UserLevelShape(Schema):
    level_slug = fields.Text(required=True)
    status = fields.Choice(("started", "completed"), required=True)
    user_lessons = fields.List(fields.Nested(UserLevelLessonShape), required=True)


class UserLevelsReply(EmptyReply):
    user_levels = fields.List(fields.Nested(UserLevelShape), required=True)


class LessonShape(ListedLessonShape):
    #: empty for exercises, else `sources` in the learner's language and what its type needs
    data = fields.Dict(required=True)


class LessonReply(EmptyReply):
    lesson = fields.Nested(LessonShape, required=True)


class SubmittedFileShape(Schema):
    filename = fields.Text(required=True)
    content = fields.Text(required=True)


class LastSubmissionShape(Schema):
    uuid = fields.Text(required=True)
    files = fields.List(fields.Nested(SubmittedFileShape), required=True)
    stored_at = fields.Moment(required=True)


class SubmissionShape(LastSubmissionShape):
    context_type = fields.Choice(("UserLesson", "UserChallenge"), required=True)
    context_slug = fields.Text(required=True)


class SubmissionReply(EmptyReply):
    submission = fields.Nested(SubmissionShape, required=True)


class MessageShape(Schema):
    role = fields.Choice(("user", "assistant"), required=True)
    content = fields.Text(required=True)
    timestamp = fields.Text(required=True, allow_none=True)


class ExerciseStateShape(Schema):
    last_submission = fields.Nested(LastSubmissionShape, allow_none=True)


class UserLessonShape(Schema):
    lesson_slug = fields.Text(required=True)
    status = fields.Choice(("started", "completed"), required=True)
    difficulty_rating = fields.Whole(required=True, allow_none=True)
    fun_rating = fields.Whole(required=True, allow_none=True)
    walkthrough_video_watched_percentage = fields.Whole(required=True, allow_none=True)
    conversation = fields.List(fields.Nested(MessageShape), required=True)
    conversation_allowed = fields.Flag(required=True)
    #: `last_submission` for exercises, empty for other types
    data = fields.Nested(ExerciseStateShape, required=True)


class UserLessonReply(EmptyReply):
    user_lesson = fields.Nested(UserLessonShape, required=True)


class RatingsBody(Schema):
    difficulty_rating = fields.Whole(minimum=1, maximum=5, allow_none=True, load_default=None)
    fun_rating = fields.Whole(minimum=1, maximum=5, allow_none=True, load_default=None)


class PercentageBody(Schema):
    percentage = fields.Whole(required=True)


class OfferedFileBody(Schema):
    filename = fields.Text(load_default=None, allow_none=True, allow_blank=True, maximum=255)
    code = fields.Text(load_default=None, allow_none=True, allow_blank=True)


class OfferedFilesBody(Schema):
    files = fields.List(fields.Nested(OfferedFileBody), load_default=None, allow_none=True)


class SubmissionBody(Schema):
    submission = fields.Nested(OfferedFilesBody, load_default=None, allow_none=True)
