"""Tables of learning, in the schema `learning`."""

from jiki_learning.models.base import LearningModel
from jiki_learning.models.catalogue import CatalogueVersion, Course, Lesson, Level, LevelTranslation
from jiki_learning.models.conversation import AssistantConversation, AssistantMessage
from jiki_learning.models.exercise import Exercise, ExerciseFile
from jiki_learning.models.progress import (
    AwaitedEnrolment,
    UserChallenge,
    UserConcept,
    UserCourse,
    UserLesson,
    UserLevel,
    UserVideo,
)
from jiki_learning.models.recognition import ActivityDay, Badge, UserAcquiredBadge
from jiki_learning.models.submission import ExerciseSubmission, FileText, SubmissionFile
from jiki_learning.models.unlockable import Challenge, Concept, FormerConceptSlug, UnlockEdge

#: every table, for `jiki_models`
ALL_MODELS: tuple[type[LearningModel], ...] = (
    CatalogueVersion,
    Course,
    Level,
    LevelTranslation,
    Lesson,
    Concept,
    FormerConceptSlug,
    Challenge,
    UnlockEdge,
    Exercise,
    ExerciseFile,
    AwaitedEnrolment,
    UserCourse,
    UserLevel,
    UserLesson,
    UserConcept,
    UserChallenge,
    UserVideo,
    FileText,
    ExerciseSubmission,
    SubmissionFile,
    Badge,
    UserAcquiredBadge,
    ActivityDay,
    AssistantConversation,
    AssistantMessage,
)

__all__ = [
    "ALL_MODELS",
    "ActivityDay",
    "AssistantConversation",
    "AssistantMessage",
    "AwaitedEnrolment",
    "Badge",
    "CatalogueVersion",
    "Challenge",
    "Concept",
    "Course",
    "Exercise",
    "ExerciseFile",
    "ExerciseSubmission",
    "FileText",
    "FormerConceptSlug",
    "LearningModel",
    "Lesson",
    "Level",
    "LevelTranslation",
    "SubmissionFile",
    "UnlockEdge",
    "UserAcquiredBadge",
    "UserChallenge",
    "UserConcept",
    "UserCourse",
    "UserLesson",
    "UserLevel",
    "UserVideo",
]
