"""Secrets encrypted at rest: what opens, what does not, and how keys rotate."""

from __future__ import annotations

import pytest

from jiki_core.security import SealBroken, SealingKeys

OLD, NEW = b"o" * 32, b"n" * 32


def test_what_was_sealed_opens():
    keys = SealingKeys((NEW,))
    assert keys.open(keys.seal(b"seed", bound_to="totp:1"), bound_to="totp:1") == b"seed"


def test_it_shows_nothing_and_is_never_the_same():
    keys = SealingKeys((NEW,))
    assert "seed" not in keys.seal(b"seed", bound_to="x")
    assert keys.seal(b"seed", bound_to="x") != keys.seal(b"seed", bound_to="x")


def test_moved_to_another_row_it_does_not_open():
    keys = SealingKeys((NEW,))
    with pytest.raises(SealBroken):
        keys.open(keys.seal(b"seed", bound_to="totp:1"), bound_to="totp:2")


def test_a_new_key_seals_and_the_old_one_still_opens():
    sealed = SealingKeys((OLD,)).seal(b"seed", bound_to="x")
    both = SealingKeys((NEW, OLD))
    assert both.open(sealed, bound_to="x") == b"seed"
    assert (both.is_current(sealed), both.is_current(both.seal(b"seed", bound_to="x"))) == (False, True)


@pytest.mark.parametrize(
    "spoil", [lambda text: text[:-4] + "AAAA", lambda text: "00000000" + text[8:], lambda text: ""]
)
def test_altered_it_does_not_open(spoil):
    keys = SealingKeys((NEW,))
    with pytest.raises(SealBroken):
        keys.open(spoil(keys.seal(b"seed", bound_to="x")), bound_to="x")


def test_without_the_key_it_does_not_open():
    with pytest.raises(SealBroken):
        SealingKeys((NEW,)).open(SealingKeys((OLD,)).seal(b"seed", bound_to="x"), bound_to="x")
