"""Tables of learning, in the schema `learning`."""

from jiki_learning.models.base import LearningModel
from jiki_learning.models.catalogue import CatalogueVersion, Course, Lesson, Level, LevelTranslation
from jiki_learning.models.collaboration import (
    Collaboration,
    CollaborationDocument,
    CollaborationInvitation,
    CollaborationParticipant,
    CollaborationUpdate,
    CollaborationVersion,
)
from jiki_learning.models.conversation import AssistantConversation, AssistantMessage
from jiki_learning.models.exercise import Exercise, ExerciseFile
from jiki_learning.models.image import Image
from jiki_learning.models.progress import (
    AwaitedEnrolment,
    UserChallenge,
    UserConcept,
    UserCourse,
    UserLesson,
    UserLevel,
    UserVideo,
)
from jiki_learning.models.recognition import ActivityDay, Badge, StreakReminder, UserAcquiredBadge
from jiki_learning.models.submission import ExerciseSubmission, FileText, SubmissionFile
from jiki_learning.models.test_run import ExerciseDraft, TestRun
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
    Image,
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
    TestRun,
    ExerciseDraft,
    Badge,
    UserAcquiredBadge,
    ActivityDay,
    StreakReminder,
    AssistantConversation,
    AssistantMessage,
    Collaboration,
    CollaborationParticipant,
    CollaborationInvitation,
    CollaborationDocument,
    CollaborationUpdate,
    CollaborationVersion,
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
    "Collaboration",
    "CollaborationDocument",
    "CollaborationInvitation",
    "CollaborationParticipant",
    "CollaborationUpdate",
    "CollaborationVersion",
    "Concept",
    "Course",
    "Exercise",
    "ExerciseDraft",
    "ExerciseFile",
    "ExerciseSubmission",
    "FileText",
    "FormerConceptSlug",
    "Image",
    "LearningModel",
    "Lesson",
    "Level",
    "LevelTranslation",
    "StreakReminder",
    "SubmissionFile",
    "TestRun",
    "UnlockEdge",
    "UserAcquiredBadge",
    "UserChallenge",
    "UserConcept",
    "UserCourse",
    "UserLesson",
    "UserLevel",
    "UserVideo",
]
