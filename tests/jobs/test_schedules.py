"""Schedules: each tick once, in its time zone, and what happens to ticks that nobody was there for."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiki_core.jobs import Schedule
from jiki_core.jobs.schedules import due_ticks, tick_once, write_schedules


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wall(schedule, start, count):
    ticks = schedule.ticks_after(at(start))
    return [next(ticks).astimezone(UTC).strftime("%m-%d %H:%M") for _ in range(count)]


@pytest.mark.parametrize(
    ("cron", "start", "ticks"),
    [
        ("30 2 * * *", "2026-03-28T12:00", ["03-29 01:00", "03-30 00:30"]),  # 02:30 does not exist on the 29th
        ("30 2 * * *", "2026-10-24T12:00", ["10-25 00:30", "10-26 01:30"]),  # and comes twice on the 25th
        ("*/30 * * * *", "2026-10-25T00:10", ["10-25 00:30", "10-25 01:00", "10-25 01:30"]),
        ("0 9 * * 1", "2026-07-01T00:00", ["07-06 07:00", "07-13 07:00"]),
    ],
)
def test_ticks_follow_the_clock_on_the_wall(cron, start, ticks):
    assert wall(Schedule(cron, "Europe/Berlin"), start, len(ticks)) == ticks


@pytest.mark.parametrize(
    ("catch_up", "now", "ticks", "following"),
    [
        ("latest", "2026-01-01T10:00:05", ["10:00"], "11:00"),
        ("latest", "2026-01-01T14:20", ["14:00"], "15:00"),
        ("all", "2026-01-01T12:20", ["10:00", "11:00", "12:00"], "13:00"),
        ("none", "2026-01-01T12:20", [], "13:00"),
        ("none", "2026-01-01T12:00:30", ["12:00"], "13:00"),
    ],
)
def test_missed_ticks_are_treated_as_declared(catch_up, now, ticks, following):
    due, then = due_ticks(Schedule("0 * * * *", catch_up=catch_up), at("2026-01-01T10:00"), at(now))
    assert [tick.strftime("%H:%M") for tick in due] == ticks
    assert then.strftime("%H:%M") == following


def test_an_outage_of_a_year_asks_for_the_latest_tick_at_once():
    due, _ = due_ticks(Schedule("* * * * *"), at("2025-01-01T00:00"), at("2026-01-01T00:00:30"))
    assert due == [at("2026-01-01T00:00")]


@pytest.mark.parametrize(
    ("schedule", "sentence"),
    [
        (Schedule("* * * *"), "it needs five fields"),
        (Schedule("61 * * * *"), "it needs five fields"),
        (Schedule("* * * * *", "Mars/Olympus"), "names the time zone"),
        (Schedule("0 0 30 2 *"), "a day that never comes"),
        (Schedule("0 0 31 4,6 *"), "a day that never comes"),
        (Schedule("* * * * *", catch_up="some"), "there are latest, all and none"),
    ],
)
def test_a_wrong_schedule_is_told(schedule, sentence):
    assert any(sentence in mistake for mistake in schedule.mistakes())


def test_the_29th_of_february_comes():
    assert Schedule("0 0 29 2 *").mistakes() == []


minutes, hours = st.sampled_from(["0", "30", "*/20", "5,50"]), st.sampled_from(["*", "2", "1,2,3", "*/2", "0-4"])
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
turns = st.sampled_from(["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"])


@settings(max_examples=150, deadline=None)
@given(minutes, hours, zones, turns, st.integers(-2_000, 2_000))
def test_ticks_come_in_order_each_once_and_the_latest_is_the_last_of_them(minute, hour, zone, turn, offset):
    """Around the nights in which clocks are changed, wherever they are."""
    schedule, moment = Schedule(f"{minute} {hour} * * *", zone), at(f"{turn}T12:00") + timedelta(minutes=offset)
    ticks = [tick.astimezone(UTC) for tick in islice(schedule.ticks_after(moment - timedelta(days=2)), 200)]
    assert ticks == sorted(set(ticks))
    gone_by = [tick for tick in ticks if tick <= moment]
    if len(gone_by) < len(ticks):
        assert schedule.latest_at(moment).astimezone(UTC) == gone_by[-1]


@settings(max_examples=100, deadline=None)
@given(
    st.sets(st.integers(0, 59), min_size=1, max_size=4),
    st.sets(st.integers(0, 23), min_size=1, max_size=4),
    st.integers(0, 1_440),
)
def test_every_minute_that_a_line_names_comes_and_no_other(minutes, hours, offset):
    listed = [",".join(map(str, sorted(one))) for one in (minutes, hours)]
    schedule, start = Schedule(f"{listed[0]} {listed[1]} * * *"), at("2026-05-10T00:00") + timedelta(minutes=offset)
    named = [
        tick
        for tick in (start + timedelta(minutes=one) for one in range(1, 2_881))
        if tick.minute in minutes and tick.hour in hours
    ]
    assert list(takewhile(lambda tick: tick <= start + timedelta(days=2), schedule.ticks_after(start))) == named
    assert schedule.latest_at(start + timedelta(days=2)) == named[-1]


def test_the_latest_tick_of_a_line_that_comes_once_in_four_years():
    assert Schedule("0 6 29 2 *").latest_at(at("2026-05-10T00:00")) == at("2024-02-29T06:00")


def ticks_of(lab, name):
    return lab.sql("select tick_at, outbox_id from core.schedule_ticks where schedule = :name order by 1", name=name)


def test_a_tick_asks_for_its_job_once(lab):
    start = at("2026-01-01T10:00:30")
    with lab.app.app_context():
        write_schedules(start)
        assert tick_once(start) == 0
        assert tick_once(start + timedelta(seconds=40)) == 1
        assert tick_once(start + timedelta(seconds=41)) == 0
    lab.drain()
    assert lab.effects("minute") == 1
    assert len(ticks_of(lab, "lab.every_minute")) == 1


def test_three_schedulers_at_once_run_every_tick_exactly_once(lab):
    start = at("2026-01-01T10:00:30")
    with lab.app.app_context():
        write_schedules(start)
    moments = [start + timedelta(seconds=10 * step) for step in range(60)]
    barrier, errors = threading.Barrier(3), []

    def schedule():
        try:
            for moment in moments:
                barrier.wait(20)
                with lab.app.app_context():
                    tick_once(moment)
        except Exception as error:  # told to the test's own thread
            errors.append(error)

    schedulers = [threading.Thread(target=schedule) for _ in range(3)]
    for one in schedulers:
        one.start()
    for one in schedulers:
        one.join(60)
    assert errors == []
    expected = [at("2026-01-01T10:00") + timedelta(minutes=minute) for minute in range(1, 11)]
    ticks = ticks_of(lab, "lab.every_minute")
    assert [row.tick_at for row in ticks][:9] == expected[:9]
    assert len({row.outbox_id for row in ticks}) == len(ticks)
    lab.drain()
    assert lab.effects("minute") == len(ticks)


def test_writing_the_schedules_again_keeps_what_stands_and_takes_over_what_changed(lab):
    with lab.app.app_context():
        write_schedules(at("2026-01-01T10:00:30"))
        write_schedules(at("2026-01-01T10:20:30"))
        (row,) = lab.sql("select next_tick_at from core.schedules where name = 'lab.every_minute'")
        assert row.next_tick_at == at("2026-01-01T10:01")
        lab.sql("update core.schedules set cron = '0 0 1 1 *' where name = 'lab.every_minute'")
        write_schedules(at("2026-01-01T10:20:30"))
        (row,) = lab.sql("select cron, next_tick_at from core.schedules where name = 'lab.every_minute'")
    assert (row.cron, row.next_tick_at) == ("* * * * *", at("2026-01-01T10:21"))


def test_a_paused_schedule_does_not_tick_and_one_that_nobody_declares_stays(lab):
    start = at("2026-01-01T10:00:30")
    with lab.app.app_context():
        write_schedules(start)
        lab.sql("update core.schedules set paused_reason = 'too loud'")
        lab.sql(
            "insert into core.schedules (name, cron, timezone, catch_up, next_tick_at) "
            "values ('gone.job', '* * * * *', 'UTC', 'latest', now())"
        )
        assert tick_once(start + timedelta(hours=3)) == 0
        lab.sql("update core.schedules set paused_reason = null where name = 'lab.catches_up'")
        assert tick_once(start + timedelta(hours=3)) == 3


def test_a_schedule_that_this_process_does_not_understand_keeps_no_other_waiting(lab):
    start = at("2026-01-01T10:00:30")
    with lab.app.app_context():
        write_schedules(start)
        lab.sql("update core.schedules set paused_reason = 'not ours' where name not like 'lab.%'")
        lab.sql("update core.schedules set timezone = 'Mars/Olympus' where name = 'lab.catches_up'")
        assert tick_once(start + timedelta(hours=3)) == 1
    assert len(ticks_of(lab, "lab.every_minute")) == 1
    assert ticks_of(lab, "lab.catches_up") == []
