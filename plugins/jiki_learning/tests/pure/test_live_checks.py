"""When a draft is checked, on a clock that is moved by hand."""

from __future__ import annotations

import pytest

from jiki_learning.live_checks import LiveChecks, Typist

ADA, BOB = Typist(1, 7), Typist(2, 7)


class Desk:
    def __init__(self) -> None:
        self.now = 100.0
        self.requested: list[Typist] = []
        self.checks = LiveChecks(
            self.requested.append,
            quiet_seconds=0.6,
            longest_wait_seconds=3.0,
            monotonic=lambda: self.now,
            has_thread=False,
        )

    def type(self, who: Typist, *, seconds: float, every: float = 0.1) -> None:
        for _ in range(round(seconds / every)):
            self.checks.edited(who)
            self.wait(every)

    def wait(self, seconds: float) -> float | None:
        self.now += seconds
        return self.checks.run_due()


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_one_key_is_checked_once_when_it_is_quiet(desk):
    desk.checks.edited(ADA)
    assert desk.wait(0.5) == pytest.approx(0.1)
    assert desk.requested == []
    assert desk.wait(0.11) is None
    desk.wait(10)
    assert desk.requested == [ADA]


def test_who_types_on_is_checked_now_and_then(desk):
    desk.type(ADA, seconds=9.5)
    assert desk.requested == [ADA] * 3
    desk.wait(0.7)
    assert desk.requested == [ADA] * 4


def test_each_learner_has_a_clock_of_their_own(desk):
    desk.checks.edited(ADA)
    desk.wait(0.4)
    desk.checks.edited(BOB)
    desk.wait(0.21)
    assert desk.requested == [ADA]
    desk.wait(0.4)
    assert desk.requested == [ADA, BOB]


def test_a_request_that_fails_hurts_nobody_else(desk):
    def request(who: Typist) -> None:
        if who is ADA:
            raise ConnectionError("Valkey is away")
        desk.requested.append(who)

    desk.checks._request = request
    desk.checks.edited(ADA)
    desk.checks.edited(BOB)
    desk.wait(1)
    assert desk.requested == [BOB]


def test_what_is_forgotten_is_not_checked(desk):
    desk.checks.edited(ADA)
    desk.checks.forget()
    assert desk.wait(5) is None
    assert desk.requested == []
