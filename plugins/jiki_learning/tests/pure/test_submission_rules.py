"""What a submission must be (contract.md 3.8 and fact 8 of section 7)."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from jiki_core.errors import DomainError
from jiki_learning.submission_rules import MAX_FILE_BYTES, OfferedFile, check_submission, digest, sanitise


def offer(*files: tuple[str | None, str | None]) -> list[OfferedFile]:
    return [OfferedFile(filename, code) for filename, code in files]


def latest(*files: tuple[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset((filename, digest(content)) for filename, content in files)


def test_files_come_back_clean_addressed_and_ordered_by_name() -> None:
    checked = check_submission(offer(("b.js", "turn()"), ("a.js", "move()\n")))
    assert [(file.filename, file.content) for file in checked.files] == [
        ("a.js", "move()\n"),
        ("b.js", "turn()"),
    ]
    assert checked.files[0].digest == hashlib.sha256(b"move()\n").hexdigest()
    assert not checked.is_repeat


TOO_LONG = "x" * (MAX_FILE_BYTES + 1)

NAMELESS = "filename_required"
TOO_LARGE = {"filename": "a.js", "max_bytes": 100_000}

REFUSALS = [
    # offered                                             symbol                 extras
    (offer(),                                             "invalid_submission",  {"reason": "no_files"}),
    (offer(*((f"{n}.js", "") for n in range(21))),        "too_many_files",      {"count": 21, "max": 20}),
    (offer(("a.js", "1"), ("b.js", "2"), ("a.js", "3")),  "duplicate_filename",  {"filenames": ["a.js"]}),
    (offer((None, "1")),                                  "invalid_submission",  {"reason": NAMELESS}),
    (offer((" \t", "1")),                                 "invalid_submission",  {"reason": NAMELESS}),
    (offer(("a.js", None)),                               "invalid_submission",  {"reason": "code_required"}),
    (offer(("a.js", TOO_LONG)),                           "file_too_large",      TOO_LARGE),
]  # fmt: skip


@pytest.mark.parametrize(("offered", "symbol", "extras"), REFUSALS)
def test_refusals_and_their_data(offered: list[OfferedFile], symbol: str, extras: dict[str, Any]) -> None:
    with pytest.raises(DomainError) as refusal:
        check_submission(offered)
    assert (refusal.value.symbol, refusal.value.extras, refusal.value.status) == (symbol, extras, 422)


ORDER = [
    # two faults at once                                                     the one that is told
    (offer(*(("a.js", None) for _ in range(21))),                            "too_many_files"),
    (offer(("a.js", None), ("a.js", TOO_LONG)),                              "duplicate_filename"),
    (offer(("a.js", TOO_LONG), (None, "1")),                                 "file_too_large"),
    (offer((None, None)),                                                    "invalid_submission"),
]  # fmt: skip


@pytest.mark.parametrize(("offered", "symbol"), ORDER)
def test_of_two_faults_the_earlier_rule_speaks(offered: list[OfferedFile], symbol: str) -> None:
    with pytest.raises(DomainError) as refusal:
        check_submission(offered)
    assert refusal.value.symbol == symbol


def test_two_files_without_a_name_are_not_duplicates_but_nameless() -> None:
    with pytest.raises(DomainError) as refusal:
        check_submission(offer((None, "1"), (None, "2")))
    assert refusal.value.extras == {"reason": "filename_required"}


def test_empty_code_is_code() -> None:
    assert check_submission(offer(("a.js", ""))).files[0].content == ""


def test_the_limit_counts_bytes_not_characters() -> None:
    at_the_limit = "é" * (MAX_FILE_BYTES // 2)
    assert check_submission(offer(("a.js", at_the_limit))).files
    with pytest.raises(DomainError):
        check_submission(offer(("a.js", at_the_limit + "x")))


def test_what_no_database_can_hold_is_dropped() -> None:
    assert sanitise("a\ud800b\0c é 😀") == "abc é 😀"


REPEATS = [
    # offered                              latest                                      is it a repeat?
    (offer(("a", "1"), ("b", "2")),        latest(("b", "2"), ("a", "1")),             True),
    (offer(("a", "1")),                    latest(("a", "1"), ("b", "2")),             False),
    (offer(("a", "1"), ("b", "2")),        latest(("a", "1")),                         False),
    (offer(("a", "1")),                    latest(("b", "1")),                         False),
    (offer(("a", "1")),                    latest(("a", "2")),                         False),
    (offer(("a", "1\ud800")),              latest(("a", "1")),                         True),
    (offer(("a", "1")),                    latest(),                                   False),
]  # fmt: skip


@pytest.mark.parametrize(("offered", "stored", "is_repeat"), REPEATS)
def test_a_repeat_has_the_same_names_and_contents(
    offered: list[OfferedFile], stored: frozenset[tuple[str, str]], is_repeat: bool
) -> None:
    assert check_submission(offered, stored).is_repeat is is_repeat
