"""Token buckets over time that tests move."""

from __future__ import annotations

import pytest

from jiki_core.cable.rates import Rate, TokenBucket


class _Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    time = _Time()
    bucket = TokenBucket(Rate(20, per_seconds=1, burst=40), time)
    assert [bucket.take() for _ in range(41)] == [True] * 40 + [False]
    time.now += 0.05
    assert [bucket.take(), bucket.take()] == [True, False]


def test_a_full_bucket_does_not_overflow() -> None:
    time = _Time()
    bucket = TokenBucket(Rate(2, per_seconds=1), time)
    time.now += 1_000
    assert [bucket.take() for _ in range(3)] == [True, True, False]


def test_it_says_when_the_next_token_comes() -> None:
    time = _Time()
    bucket = TokenBucket(Rate(4, per_seconds=2, burst=1), time)
    assert bucket.seconds_until_next() == 0
    bucket.take()
    assert bucket.seconds_until_next() == pytest.approx(0.5)


@pytest.mark.parametrize(("count", "per", "burst"), [(0, 1, None), (1, 0, None), (-1, 1, None), (1, 1, 0.5)])
def test_a_rate_that_lets_nothing_through_is_refused(count: float, per: float, burst: float | None) -> None:
    with pytest.raises(ValueError, match="a rate needs"):
        Rate(count, per, burst)
