"""Health of exercises: percentages, the score and its insights (contract.md 2.6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jiki_learning.exercise_health import MOST_INSIGHTS, ExerciseCounts, exercise_health, insights

HEALTHY = ExerciseCounts(
    lesson_id=1,
    slug="maze",
    num_reached=100,
    num_starts=100,
    num_in_progress=0,
    num_completed=100,
    num_bounced=0,
    num_abandoned=0,
    completer_median_attempts=2.0,
    completer_p90_attempts=4.0,
    abandoner_median_attempts=None,
    median_minutes_to_complete=9.5,
    avg_difficulty=2.5,
    avg_fun=4.5,
    num_engaged=100,
    num_asked=50,
)


def sessions(completed, bounced, abandoned):
    return replace(HEALTHY, num_completed=completed, num_bounced=bounced, num_abandoned=abandoned)


def test_a_flawless_exercise_scores_a_hundred_and_gives_no_insight():
    health = exercise_health(HEALTHY)
    assert (health.score, health.completion_pct, health.reach_start_pct) == (100.0, 100.0, 100.0)
    assert insights([health]) == []


@pytest.mark.parametrize(
    ("counts", "score"),
    [
        (sessions(85, 0, 15), 60.0),
        (sessions(70, 0, 30), 60.0),
        (sessions(70, 30, 0), 85.0),
        (sessions(85, 15, 0), 92.5),
        (replace(HEALTHY, num_starts=70), 85.0),
        (replace(HEALTHY, avg_fun=3.0), 92.5),
        (replace(HEALTHY, avg_fun=2.0), 85.0),
        (replace(HEALTHY, avg_fun=3.5), 100.0),
        (replace(HEALTHY, avg_fun=None), 100.0),
        (replace(HEALTHY, abandoner_median_attempts=3.0), 92.5),
        (replace(HEALTHY, abandoner_median_attempts=9.0), 85.0),
        (replace(sessions(0, 50, 50), num_starts=0, avg_fun=1.0, abandoner_median_attempts=9.0), 0.0),
    ],
)
def test_the_score_takes_off_for_what_goes_wrong(counts, score):
    assert exercise_health(counts).score == score


def test_fewer_than_thirty_sessions_give_no_score_and_no_insight():
    few = exercise_health(sessions(0, 0, 29))
    assert (few.is_low_sample, few.score) == (True, None)
    assert insights([few]) == []
    assert exercise_health(sessions(0, 0, 30)).is_low_sample is False


def test_nobody_makes_no_percentage():
    health = exercise_health(
        replace(sessions(0, 0, 0), num_reached=0, num_starts=0, num_engaged=0, num_asked=0, avg_fun=None)
    )
    assert (health.completion_pct, health.abandon_pct, health.ask_jiki_pct) == (0.0, 0.0, 0.0)
    assert health.reach_start_pct == 100.0


@pytest.mark.parametrize(
    ("counts", "type", "severity", "value"),
    [
        (replace(sessions(92, 0, 8)), "difficulty_wall", "medium", 8.0),
        (replace(sessions(88, 0, 12)), "difficulty_wall", "high", 12.0),
        (sessions(85, 15, 0), "bounce", "medium", 15.0),
        (sessions(70, 30, 0), "bounce", "high", 30.0),
        (replace(HEALTHY, num_starts=85), "pre_start_dropoff", "medium", 15.0),
        (replace(HEALTHY, num_starts=70), "pre_start_dropoff", "high", 30.0),
        (replace(HEALTHY, avg_fun=3.3), "fun_crash", "medium", 3.3),
        (replace(HEALTHY, avg_fun=3.0), "fun_crash", "high", 3.0),
        (replace(sessions(94, 0, 6), num_asked=14), "ask_jiki_underuse", "medium", 14.0),
    ],
)
def test_an_insight_names_what_is_wrong(counts, type, severity, value):
    [found] = insights([exercise_health(counts)])
    assert (found.type, found.severity, found.value, found.slug) == (type, severity, value, "maze")


@pytest.mark.parametrize(
    "counts",
    [
        sessions(9207, 0, 793),
        sessions(853, 147, 0),
        replace(HEALTHY, num_starts=86),
        replace(HEALTHY, avg_fun=3.31),
        replace(sessions(94, 0, 6), num_asked=15),
        replace(sessions(9410, 0, 590), num_asked=0),
    ],
)
def test_just_below_a_threshold_there_is_none(counts):
    assert insights([exercise_health(counts)]) == []


def test_the_weightiest_eight_come_first():
    mild = [exercise_health(replace(sessions(85, 15, 0), slug=f"mild-{n}")) for n in range(9)]
    bad = exercise_health(replace(sessions(70, 30, 0), slug="bad"))
    found = insights([*mild, bad])
    assert len(found) == MOST_INSIGHTS
    assert found[0].slug == "bad"
