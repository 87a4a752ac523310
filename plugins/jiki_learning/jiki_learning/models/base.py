"""The base that names the plugin, and the column that says whose row it is."""

from __future__ import annotations

from typing import Annotated

from sqlalchemy import ForeignKey
from sqlalchemy.orm import mapped_column

from jiki_core.db import Model

#: the learner a row belongs to; the row goes with the account
UserKey = Annotated[int, mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"))]


class LearningModel(Model):
    __abstract__ = True
    __plugin__ = "learning"
