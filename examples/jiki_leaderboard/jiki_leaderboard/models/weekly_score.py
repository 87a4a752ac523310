"""A learner's points of one week."""

from __future__ import annotations

from datetime import date

from jiki_core.db import Model
from sqlalchemy import Date, ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column


class LeaderboardModel(Model):
    __abstract__ = True
    __plugin__ = "leaderboard"


class WeeklyScore(LeaderboardModel):
    __tablename__ = "weekly_scores"

    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"), primary_key=True)
    #: the Monday it begins on
    week: Mapped[date] = mapped_column(Date, primary_key=True)
    points: Mapped[int] = mapped_column(Integer)

    __table_args__ = (Index("weekly_scores_week_idx", "week", "points"),)
