"""Bodies and queries that learning's routes take, and the shapes they answer with (contract.md 2.2)."""

from __future__ import annotations

import math
from typing import Any

import marshmallow as ma

from jiki_core.http import PageQuery, Schema, fields
from jiki_learning.content.course import FileRole, LessonType
from jiki_learning.content.lesson_data import LANGUAGES
from jiki_learning.exercise_states import ExerciseState

EXERCISE_STATES = tuple(ExerciseState)
LESSON_TYPES = tuple(LessonType)


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
    """`language` has a refusal of its own, so any value is let through to it."""

    language = fields.Raw(allow_none=True, load_default=None, metadata={"enum": [*LANGUAGES]})


class ListedLessonShape(Schema):
    slug = fields.Text(required=True)
    type = fields.Choice(LESSON_TYPES, required=True)
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
    #: as the proxy signed it, text or number; null for the learner's own
    timestamp = fields.Raw(required=True, allow_none=True)


class ExerciseStateShape(Schema):
    last_submission = fields.Nested(LastSubmissionShape, allow_none=True)
    #: where the learner is with the exercise
    exercise_state = fields.Choice(EXERCISE_STATES)


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


class Watched(fields.Whole):
    """How much of a video was seen, in percent; of a fraction, which players report, what was seen in full."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        is_fraction = isinstance(value, float) and math.isfinite(value)
        return super()._deserialize(math.floor(value) if is_fraction else value, attr, data, **kwargs)


class PercentageBody(Schema):
    percentage = Watched(required=True)


class OfferedFileBody(Schema):
    filename = fields.Text(load_default=None, allow_none=True, allow_blank=True, maximum=255)
    code = fields.Text(load_default=None, allow_none=True, allow_blank=True)


class OfferedFilesBody(Schema):
    files = fields.List(fields.Nested(OfferedFileBody), load_default=None, allow_none=True)
    #: whether the client's tests passed, if it says
    passed = fields.Flag(load_default=None, allow_none=True)


class SubmissionBody(Schema):
    submission = fields.Nested(OfferedFilesBody, load_default=None, allow_none=True)


class ExerciseFileShape(Schema):
    path = fields.Text(required=True)
    role = fields.Choice(tuple(FileRole), required=True)
    content = fields.Text(required=True)


class ExerciseShape(Schema):
    lesson_slug = fields.Text(required=True)
    state = fields.Choice(EXERCISE_STATES, required=True)
    title = fields.Text(required=True)
    #: texts are Markdown, empty when there is none
    blurb = fields.Text(required=True)
    introduction = fields.Text(required=True)
    instructions = fields.Text(required=True)
    hints = fields.Text(required=True)
    difficulty = fields.Whole(required=True, allow_none=True)
    concepts = fields.List(fields.Text(), required=True)
    prerequisites = fields.List(fields.Text(), required=True)
    practices = fields.List(fields.Text(), required=True)
    #: whether a test run on the server, where there is a runner, says what has passed
    tests_decide = fields.Flag(required=True)
    files = fields.List(fields.Nested(ExerciseFileShape), required=True)


class ExerciseReply(EmptyReply):
    exercise = fields.Nested(ExerciseShape, required=True)


class PageMetaShape(MetaShape):
    current_page = fields.Whole(required=True)
    total_count = fields.Whole(required=True)
    total_pages = fields.Whole(required=True)


class SubmissionSummaryShape(Schema):
    uuid = fields.Text(required=True)
    filenames = fields.List(fields.Text(), required=True)
    passed = fields.Flag(required=True, allow_none=True)
    stored_at = fields.Moment(required=True)


class SubmissionPageReply(Schema):
    results = fields.List(fields.Nested(SubmissionSummaryShape), required=True)
    meta = fields.Nested(PageMetaShape, required=True)


class SearchPageQuery(PageQuery):
    query = fields.Text(load_default="", allow_blank=True, maximum=100)


class ConceptPageQuery(SearchPageQuery):
    slugs = fields.Text(load_default="", allow_blank=True, maximum=10_000)


class ConceptRowShape(Schema):
    slug = fields.Text(required=True)
    user_may_access = fields.Flag(required=True)


class ConceptPageMetaShape(PageMetaShape):
    #: of the learner, whatever the list is narrowed to; absent for everybody's list
    unlocked_count = fields.Whole()


class ConceptPageReply(Schema):
    results = fields.List(fields.Nested(ConceptRowShape), required=True)
    meta = fields.Nested(ConceptPageMetaShape, required=True)


class UnlockedConceptsReply(EmptyReply):
    unlocked_slugs = fields.List(fields.Text(), required=True)


class ConceptShape(Schema):
    slug = fields.Text(required=True)
    video_data = fields.List(fields.Dict(), required=True, allow_none=True)


class ConceptReply(EmptyReply):
    concept = fields.Nested(ConceptShape, required=True)


class ChallengeShape(Schema):
    slug = fields.Text(required=True)
    exercise_slug = fields.Text(required=True)


class ChallengeRowShape(ChallengeShape):
    status = fields.Choice(("locked", "unlocked", "started", "completed"), required=True)


class ChallengePageReply(Schema):
    results = fields.List(fields.Nested(ChallengeRowShape), required=True)
    meta = fields.Nested(PageMetaShape, required=True)


class ChallengeReply(EmptyReply):
    challenge = fields.Nested(ChallengeShape, required=True)


class UserChallengeShape(Schema):
    challenge_slug = fields.Text(required=True)
    status = fields.Choice(("started", "completed"), required=True)
    conversation = fields.List(fields.Nested(MessageShape), required=True)
    conversation_allowed = fields.Flag(required=True)
    data = fields.Nested(ExerciseStateShape, required=True)


class UserChallengeReply(EmptyReply):
    user_challenge = fields.Nested(UserChallengeShape, required=True)


class WatchedBody(Schema):
    watched_percentage = Watched(required=True)


class UserVideoShape(Schema):
    uuid = fields.Text(required=True)
    watched_percentage = fields.Whole(required=True)
    status = fields.Choice(("started", "completed"), required=True)
    completed_at = fields.Moment(required=True, allow_none=True)


class UserVideosReply(EmptyReply):
    user_videos = fields.List(fields.Nested(UserVideoShape), required=True)


class UserVideoReply(EmptyReply):
    user_video = fields.Nested(UserVideoShape, required=True)


class BadgeShape(Schema):
    id = fields.Whole(required=True)
    slug = fields.Text(required=True)
    state = fields.Choice(("locked", "unrevealed", "revealed"), required=True)
    num_awardees = fields.Whole(required=True)
    #: absent while locked
    unlocked_at = fields.Moment()


class BadgesReply(EmptyReply):
    badges = fields.List(fields.Nested(BadgeShape), required=True)
    num_locked_secret_badges = fields.Whole(required=True)


class AcquiredBadgeShape(Schema):
    id = fields.Whole(required=True)
    slug = fields.Text(required=True)
    revealed = fields.Flag(required=True)
    unlocked_at = fields.Moment(required=True)
    num_awardees = fields.Whole(required=True)


class AcquiredBadgeReply(EmptyReply):
    badge = fields.Nested(AcquiredBadgeShape, required=True)


class AssistantTokenBody(Schema):
    lesson_slug = fields.Text(load_default=None, allow_none=True, allow_blank=True)
    challenge_slug = fields.Text(load_default=None, allow_none=True, allow_blank=True)
    cf_turnstile_response = fields.Text(load_default=None, allow_none=True, allow_blank=True)


class AssistantTokenReply(EmptyReply):
    token = fields.Text(required=True)


class Scalar(fields.Raw):
    """A text or a whole number, kept as it came."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str | int:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ma.ValidationError("invalid")
        if isinstance(value, str) and not value:
            raise ma.ValidationError("blank")
        return value


class LearnerMessageBody(Schema):
    #: the client tells its token usage along (contract.md 6.4)
    ignored = frozenset({"tokens"})

    context_type = fields.Choice(("lesson", "challenge"), required=True)
    context_identifier = fields.Text(required=True)
    content = fields.Text(required=True, maximum=100_000)
    #: not kept: the client never sends one for its own messages
    timestamp = Scalar(load_default=None, allow_none=True)


class AssistantMessageBody(LearnerMessageBody):
    timestamp = Scalar(required=True)
    signature = fields.Text(required=True, maximum=256)


class TrackedPropertiesBody(Schema):
    feature = Scalar(load_default=None, allow_none=True)
    trigger = Scalar(load_default=None, allow_none=True)
    context_type = Scalar(load_default=None, allow_none=True)
    context_id = Scalar(load_default=None, allow_none=True)
    context_slug = Scalar(load_default=None, allow_none=True)
    context_uuid = Scalar(load_default=None, allow_none=True)


class TrackedEventBody(Schema):
    event = fields.Text(load_default="", allow_none=True, allow_blank=True)
    properties = fields.Nested(TrackedPropertiesBody, load_default=None, allow_none=True)
