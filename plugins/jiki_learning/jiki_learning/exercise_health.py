"""How well exercises do their work, as figures, a score and a few insights (contract.md 2.6), computed from counts.

A learner's session on an exercise is *in progress* while its last activity is younger than seven days, and then counts for
nothing else. An older one without completion is *bounced* (nothing handed in) or *abandoned*.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

#: fewer classifiable sessions than this give no score
LOW_SAMPLE = 30
MOST_INSIGHTS = 8


@dataclass(frozen=True, slots=True)
class ExerciseCounts:
    """What is counted of one exercise. Attempts are submissions; medians are None when nobody is in their group."""

    lesson_id: int
    slug: str
    #: learners for whom the exercise was next or started, at least seven days ago or by now started
    num_reached: int
    num_starts: int
    num_in_progress: int
    num_completed: int
    num_bounced: int
    num_abandoned: int
    completer_median_attempts: float | None
    completer_p90_attempts: float | None
    abandoner_median_attempts: float | None
    median_minutes_to_complete: float | None
    avg_difficulty: float | None
    avg_fun: float | None
    #: learners who handed in something
    num_engaged: int
    #: of those, learners who asked the assistant about it
    num_asked: int


@dataclass(frozen=True, slots=True)
class Insight:
    """Something worth an editor's look. `message` is English, for the admin screen."""

    type: str
    severity: str
    lesson_id: int
    slug: str
    message: str
    value: float

    def as_json(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "severity": self.severity,
            "lesson_id": self.lesson_id,
            "slug": self.slug,
            "message": self.message,
            "value": self.value,
        }


@dataclass(frozen=True, slots=True)
class ExerciseHealth:
    """An exercise's counts with what follows from them. Percentages are of classifiable sessions, one decimal."""

    counts: ExerciseCounts
    completion_pct: float
    bounce_pct: float
    abandon_pct: float
    #: of the learners who reached it, those who started
    reach_start_pct: float
    #: how much more often those tried who gave up than those who made it
    struggle_ratio: float | None
    ask_jiki_pct: float
    is_low_sample: bool
    #: 0 to 100; None with a low sample
    score: float | None

    def as_json(self) -> dict[str, Any]:
        """ExerciseHealth of contract.md 2.2."""
        counts = self.counts
        return {
            "lesson_id": counts.lesson_id,
            "slug": counts.slug,
            "health_score": self.score,
            "low_sample": self.is_low_sample,
            "num_starts": counts.num_starts,
            "num_in_progress": counts.num_in_progress,
            "num_completed": counts.num_completed,
            "num_bounced": counts.num_bounced,
            "num_abandoned": counts.num_abandoned,
            "completion_pct": self.completion_pct,
            "bounce_pct": self.bounce_pct,
            "abandon_pct": self.abandon_pct,
            "reach_start_pct": self.reach_start_pct,
            "completer_median_attempts": counts.completer_median_attempts,
            "completer_p90_attempts": counts.completer_p90_attempts,
            "abandoner_median_attempts": counts.abandoner_median_attempts,
            "struggle_ratio": self.struggle_ratio,
            "median_minutes_to_complete": counts.median_minutes_to_complete,
            "avg_difficulty": counts.avg_difficulty,
            "avg_fun": counts.avg_fun,
            "num_engaged": counts.num_engaged,
            "ask_jiki_pct": self.ask_jiki_pct,
        }


def exercise_health(counts: ExerciseCounts) -> ExerciseHealth:
    """Figures and score of one exercise."""
    classifiable = counts.num_completed + counts.num_bounced + counts.num_abandoned
    abandon, bounce = _percent(counts.num_abandoned, classifiable), _percent(counts.num_bounced, classifiable)
    reach = _percent(min(counts.num_starts, counts.num_reached), counts.num_reached, nobody=100.0)
    struggle = _ratio(counts.abandoner_median_attempts, counts.completer_median_attempts)
    is_low_sample = classifiable < LOW_SAMPLE
    return ExerciseHealth(
        counts=counts,
        completion_pct=_percent(counts.num_completed, classifiable),
        bounce_pct=bounce,
        abandon_pct=abandon,
        reach_start_pct=reach,
        struggle_ratio=struggle,
        ask_jiki_pct=_percent(counts.num_asked, counts.num_engaged),
        is_low_sample=is_low_sample,
        score=None if is_low_sample else _score(abandon, bounce, reach, counts.avg_fun, struggle),
    )


def insights(exercises: Iterable[ExerciseHealth]) -> Sequence[Insight]:
    """The weightiest findings among exercises with enough sessions, at most eight."""
    found = [insight for one in exercises if not one.is_low_sample for insight in _insights_of(one)]
    found.sort(key=lambda one: (one.severity != "high", one.type, one.slug))
    return found[:MOST_INSIGHTS]


def _score(abandon: float, bounce: float, reach: float, fun: float | None, struggle: float | None) -> float:
    score = 100 - 40 * min(abandon / 15, 1) - 15 * min(bounce / 30, 1) - 15 * min((100 - reach) / 30, 1)
    if fun is not None and fun < 3.5:
        score -= 15 * min(3.5 - fun, 1)
    if struggle is not None and struggle > 1:
        score -= 15 * min(struggle - 1, 1)
    return round(max(score, 0.0), 1)


def _insights_of(one: ExerciseHealth) -> Iterable[Insight]:
    def insight(type: str, is_high: bool, message: str, value: float) -> Insight:
        severity = "high" if is_high else "medium"
        return Insight(type, severity, one.counts.lesson_id, one.counts.slug, message, value)

    dropped = round(100 - one.reach_start_pct, 1)
    fun = one.counts.avg_fun
    if one.abandon_pct >= 8:
        text = f"{one.abandon_pct:g} % of learners give up after handing something in"
        yield insight("difficulty_wall", one.abandon_pct >= 12, text, one.abandon_pct)
    if one.bounce_pct >= 15:
        text = f"{one.bounce_pct:g} % of learners open it and hand in nothing"
        yield insight("bounce", one.bounce_pct >= 30, text, one.bounce_pct)
    if dropped >= 15:
        text = f"{dropped:g} % of learners who get this far do not start it"
        yield insight("pre_start_dropoff", dropped >= 30, text, dropped)
    if fun is not None and fun <= 3.3:
        yield insight("fun_crash", fun <= 3.0, f"learners rate the fun of it {fun:g} of 5", fun)
    if one.abandon_pct >= 6 and one.ask_jiki_pct < 15:
        text = f"only {one.ask_jiki_pct:g} % ask the assistant, and {one.abandon_pct:g} % give up"
        yield insight("ask_jiki_underuse", False, text, one.ask_jiki_pct)


def _percent(part: int, whole: int, *, nobody: float = 0.0) -> float:
    return round(100 * part / whole, 1) if whole else nobody


def _ratio(part: float | None, whole: float | None) -> float | None:
    return round(part / whole, 2) if part is not None and whole else None
