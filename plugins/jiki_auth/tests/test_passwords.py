"""Which passwords are taken, and how many hashes run at once (contract.md section 1, trust.md 1.1)."""

from __future__ import annotations

import contextlib
import threading

import pytest

from jiki_auth import passwords
from jiki_auth.passwords import hash_password, password_faults, verify_password
from jiki_auth.settings import AuthSettings
from jiki_auth.weak_passwords import is_guessable, weak_words
from jiki_core.errors import Unavailable

FAST = AuthSettings(argon2_memory_kib=8, argon2_iterations=1, hash_concurrency=1)


@pytest.mark.parametrize(
    "password",
    [
        "Password123!",
        "P@ssw0rd2024",
        "qwertyuiop",
        "12345678",
        "87654321",
        "20241122",
        "aaaaaaaa",
        "abcabcabc",
        "Summer2025!",
        "iloveyou1",
        "monkeydragon",
        "letmein99",
        "ilovejiki",
        "correct horse battery staple",
        "asdfghjkl",
        "zxcvbnm123",
    ],
)
def test_what_is_tried_first_is_refused(password):
    assert is_guessable(password)


@pytest.mark.parametrize(
    "password",
    [
        "maple sundial 41",
        "copper lantern 77",
        "xK9#mq2Lw",
        "violet anchor 22",
        "ğüşıöç dağ yolu",
        "🦊 fox on a 🚲 in the rain",
    ],
)
def test_what_nobody_tries_first_is_taken(password):
    assert not is_guessable(password)
    assert password_faults(password, None, "ada@example.test") == {}


@pytest.mark.parametrize(
    ("password", "email", "code"),
    [
        ("sevench", "a@x.test", "too_short"),
        ("x" * 129, "a@x.test", "too_long"),
        ("lovelace-1815-x", "lovelace@x.test", "exclusion"),
        ("my a@x.test pass", "a@x.test", "exclusion"),
        ("password1", "a@x.test", "exclusion"),
    ],
)
def test_faults(password, email, code):
    assert [one.code for one in password_faults(password, None, email)["password"]] == [code]


def test_length_is_in_characters_and_nothing_is_cut_off():
    long = "ein langer Satz mit Leerzeichen und 🦊, der nicht abgeschnitten wird"
    stored = hash_password(long, FAST)
    assert verify_password(long, stored, FAST)
    assert not verify_password(long[:-1], stored, FAST)


def test_the_same_passphrase_typed_elsewhere_is_the_same():
    assert verify_password("cafe\u0301 noir 1815", hash_password("café noir 1815", FAST), FAST)


def test_the_list_is_as_long_as_its_documentation_says():
    assert len(weak_words()) == 989


def test_hashes_wait_for_their_turn(monkeypatch):
    monkeypatch.setattr(passwords, "HASH_WAIT_SECONDS", 0.05)
    turns = passwords._turns(FAST.hash_concurrency)
    assert turns.acquire(timeout=5)
    try:
        with pytest.raises(Unavailable):
            hash_password("maple sundial 41", FAST)
    finally:
        turns.release()
    hash_password("maple sundial 41", FAST)


def test_no_more_run_at_once_than_allowed(monkeypatch):
    running, most, lock = 0, 0, threading.Lock()
    settings = AuthSettings(argon2_memory_kib=64, argon2_iterations=1, hash_concurrency=2, hash_waiting=10)
    real = passwords.hasher(64, 1)

    class Counted:
        def hash(self, password):
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            try:
                return real.hash(password)
            finally:
                with lock:
                    running -= 1

    monkeypatch.setattr(passwords, "hasher", lambda *_: Counted())
    threads = [threading.Thread(target=hash_password, args=("maple sundial 41", settings)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert 1 <= most <= 2


def test_when_too_many_wait_the_next_is_sent_away_at_once():
    crowded = AuthSettings(argon2_memory_kib=8, argon2_iterations=1, hash_concurrency=3, hash_waiting=0)
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(passwords._turn(crowded))
        with pytest.raises(Unavailable) as refused:
            hash_password("maple sundial 41", crowded)
    assert refused.value.headers() == {"Retry-After": "1"}
    hash_password("maple sundial 41", crowded)
