"""Steps of one-time passwords as a state machine, and the published test vectors (RFC 6238 appendix B)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from jiki_auth import totp
from jiki_auth.recovery_codes import new_code, parse
from jiki_core.testing.pytest_plugin import scaled


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")],
)
def test_the_standards_own_codes(seconds, code):
    seed = b"12345678901234567890"
    assert totp.code_at(seed, totp.step_of(seconds)) == code
    assert totp.accepted_step(seed, code, now=seconds, last_step=None) == totp.step_of(seconds)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "é23456", "12345 "])
def test_what_is_no_code_is_refused(code):
    assert totp.accepted_step(b"s" * 20, code, now=1_000_000, last_step=None) is None


def test_seeds_have_160_bits_and_differ():
    assert len(totp.new_seed()) == 20
    assert totp.new_seed() != totp.new_seed()


def test_recovery_codes_are_read_back_in_any_case():
    made = new_code()
    assert parse(f" {made.text.upper()} ") == made
    assert parse("123456") is None


class Codes(RuleBasedStateMachine):
    """Whatever codes are tried at whatever times: no step counts twice, none counts far from now, none goes backwards."""

    def __init__(self) -> None:
        super().__init__()
        self.seed = b"a seed for the machine"[:20]
        self.now = 1_800_000_000.0
        self.last: int | None = None
        self.accepted: list[int] = []

    @rule(seconds=strategies.integers(0, 90))
    def wait(self, seconds):
        self.now += seconds

    @rule(away=strategies.integers(-15, 15))
    def try_code(self, away):
        step = totp.step_of(self.now) + away
        found = None
        with contextlib.suppress(totp.ClockOutOfSync):
            found = totp.accepted_step(self.seed, totp.code_at(self.seed, step), now=self.now, last_step=self.last)
        if found is not None:
            self.last = found
            self.accepted.append(found)
            assert abs(found - totp.step_of(self.now)) <= 1
        elif abs(away) <= 1:
            assert self.last is not None
            assert step <= self.last

    @rule()
    def replay(self):
        if self.last is not None:
            with contextlib.suppress(totp.ClockOutOfSync):
                code = totp.code_at(self.seed, self.last)
                assert totp.accepted_step(self.seed, code, now=self.now, last_step=self.last) is None

    @invariant()
    def steps_only_grow(self):
        assert self.accepted == sorted(set(self.accepted))


Codes.TestCase.settings = settings(max_examples=scaled(200, least=20), deadline=None)
TestCodes = Codes.TestCase
