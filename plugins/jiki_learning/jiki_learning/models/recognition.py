"""Badges, and the days on which a learner was active."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.db import IdentityKey, Timestamp
from jiki_learning.models.base import LearningModel, UserKey


class Badge(LearningModel):
    """A badge of `badge_rules`; rows are made by seeds, imports and the first award."""

    __tablename__ = "badges"

    id: Mapped[IdentityKey]
    slug: Mapped[str] = mapped_column(Text)
    is_secret: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    #: a counter beside the rows it counts, because the list shows it for every badge
    num_awardees: Mapped[int] = mapped_column(Integer, server_default=text("0"))

    __table_args__ = (UniqueConstraint("slug"),)


class UserAcquiredBadge(LearningModel):
    __tablename__ = "user_acquired_badges"

    user_id: Mapped[UserKey] = mapped_column(primary_key=True, autoincrement=False)
    badge_id: Mapped[int] = mapped_column(ForeignKey("learning.badges.id", ondelete="CASCADE"), primary_key=True)
    is_revealed: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    unlocked_at: Mapped[Timestamp]

    __table_args__ = (Index("user_acquired_badges_badge_id_idx", "badge_id"),)


class StreakReminder(LearningModel):
    """The last of a learner's own days on which they were reminded of their streak."""

    __tablename__ = "streak_reminders"

    user_id: Mapped[UserKey] = mapped_column(primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(Date)


class ActivityDay(LearningModel):
    """A day, by the learner's clock, on which a lesson was completed or a submission stored; `kind` is a streaks.Day.

    Days without a row were without activity (contract.md 3.16 records them; reading them off the gap is the same).
    """

    __tablename__ = "activity_days"

    user_id: Mapped[UserKey] = mapped_column(primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    kind: Mapped[int] = mapped_column(SmallInteger)
