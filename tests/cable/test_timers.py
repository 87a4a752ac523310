"""Calls at their time, and errands off the beaten thread."""

from __future__ import annotations

import threading
from typing import Any

from jiki_core.cable.timers import Errands, Timers


def test_calls_come_in_the_order_of_their_time(manual_clock: Any) -> None:
    timers, calls = Timers(manual_clock.clock(), has_thread=False), []
    timers.call_later(2, lambda: calls.append("second"))
    timers.call_later(1, lambda: calls.append("first"))
    timers.run_due()
    assert calls == []
    manual_clock.advance(1)
    timers.run_due()
    assert calls == ["first"]
    manual_clock.advance(5)
    timers.run_due()
    assert calls == ["first", "second"]


def test_a_cancelled_call_is_none(manual_clock: Any) -> None:
    timers, calls = Timers(manual_clock.clock(), has_thread=False), []
    timers.call_later(1, lambda: calls.append("call")).cancel()
    manual_clock.advance(2)
    timers.run_due()
    assert calls == []


def test_a_call_that_raises_does_not_keep_the_next_from_coming(manual_clock: Any) -> None:
    timers, calls = Timers(manual_clock.clock(), has_thread=False), []
    timers.call_later(1, lambda: 1 // 0)
    timers.call_later(1, lambda: calls.append("next"))
    manual_clock.advance(2)
    timers.run_due()
    assert calls == ["next"]


def test_the_thread_wakes_for_an_earlier_call() -> None:
    timers, called = Timers(), threading.Event()
    timers.call_later(3_600, called.set)
    timers.call_later(0.01, called.set)
    assert called.wait(5)


def test_errands_run_one_after_the_other_and_survive_each_other() -> None:
    errands, done, order = Errands(), threading.Event(), []
    errands.submit(lambda: order.append(1))
    errands.submit(lambda: 1 // 0)
    errands.submit(lambda: order.append(2))
    errands.submit(done.set)
    assert done.wait(5)
    assert order == [1, 2]
