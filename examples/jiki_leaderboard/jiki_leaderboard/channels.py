"""Sockets that hear of scores as they change."""

from __future__ import annotations

from dataclasses import dataclass

from jiki_core.cable import Channel

from jiki_leaderboard.permissions import LOOK

STREAM = "leaderboard/scores"


@dataclass(frozen=True)
class ScoreMessage:
    """Somebody's score of a week changed; whose, the list tells."""

    type: str
    week: str
    points: int


class LeaderboardChannel(Channel):
    """For every learner; reload the list to see the new order."""

    permission = LOOK
    truth = "GET /api/v1/internal/leaderboard"
    sends = {"score": ScoreMessage}

    def subscribed(self) -> None:
        self.stream_from(STREAM)
