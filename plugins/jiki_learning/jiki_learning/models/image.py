"""Images that texts show, such as those of milestone mails; the file itself is attached to the row."""

from __future__ import annotations

from sqlalchemy.orm import Mapped

from jiki_core.db import IdentityKey, Timestamp
from jiki_learning.models.base import LearningModel


class Image(LearningModel):
    __tablename__ = "images"

    id: Mapped[IdentityKey]
    stored_at: Mapped[Timestamp]
