"""What the JSON of a lesson may say, by type (contract.md 4.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from jiki_learning.content.course import LessonType
from jiki_learning.content.lesson_data import Fault, lesson_data_faults

VIDEO, CHOOSE, EXERCISE, QUIZ = (
    LessonType.VIDEO,
    LessonType.CHOOSE_LANGUAGE,
    LessonType.EXERCISE,
    LessonType.QUIZ,
)
MUX = {"provider": "mux", "id": "x"}
SOURCE = {"provider": "mux", "id": "abc", "durationSeconds": 90, "uploadDate": "2026-03-01"}


def sources(**changes: Any) -> dict[str, Any]:
    return {"sources": [{**SOURCE, **changes}]}


def options(*languages: str) -> dict[str, Any]:
    return {**sources(), "language_options": list(languages)}


ACCEPTED: list[tuple[LessonType, Any, Any]] = [
    # type      data                                                               walkthrough
    (VIDEO,     sources(),                                                         None),
    (VIDEO,     sources(language="python", provider="youtube", title="extra"),     None),
    (CHOOSE,    sources(),                                                         None),
    (CHOOSE,    options("javascript", "python"),                                   None),
    (EXERCISE,  None,                                                              None),
    (EXERCISE,  {},                                                                [MUX]),
    (EXERCISE,  None,                                                              []),
    (QUIZ,      {"questions": []},                                                 None),
]  # fmt: skip


@pytest.mark.parametrize(("type", "data", "walkthrough"), ACCEPTED)
def test_what_a_lesson_may_say(type: LessonType, data: Any, walkthrough: Any) -> None:
    assert list(lesson_data_faults(type, data, walkthrough)) == []


FAULTY_DATA: list[tuple[LessonType, Any, str]] = [
    # type      data                                   place of the fault
    (EXERCISE,  {"sources": []},                       "data"),
    (EXERCISE,  [1],                                   "data"),
    (VIDEO,     None,                                  "data"),
    (CHOOSE,    {},                                    "data"),
    (VIDEO,     {"sources": []},                       "data sources"),
    (VIDEO,     {"sources": "abc"},                    "data sources"),
    (VIDEO,     {"sources": ["abc"]},                  "data sources 0"),
    (VIDEO,     sources(provider="vimeo"),             "data sources 0 provider"),
    (VIDEO,     sources(provider=["mux"]),             "data sources 0 provider"),
    (VIDEO,     sources(id=" "),                       "data sources 0 id"),
    (VIDEO,     sources(id=7),                         "data sources 0 id"),
    (VIDEO,     sources(durationSeconds="90"),         "data sources 0 durationSeconds"),
    (VIDEO,     sources(durationSeconds=True),         "data sources 0 durationSeconds"),
    (VIDEO,     sources(durationSeconds=0),            "data sources 0 durationSeconds"),
    (VIDEO,     sources(uploadDate="2026-02-30"),      "data sources 0 uploadDate"),
    (VIDEO,     sources(uploadDate="20260301"),        "data sources 0 uploadDate"),
    (VIDEO,     sources(language="cobol"),             "data sources 0 language"),
    (CHOOSE,    options(),                             "data language_options"),
    (CHOOSE,    options("cobol"),                      "data language_options"),
]  # fmt: skip


@pytest.mark.parametrize(("type", "data", "place"), FAULTY_DATA)
def test_what_its_data_may_not_say(type: LessonType, data: Any, place: str) -> None:
    assert places(lesson_data_faults(type, data, None)) == [place]


@pytest.mark.parametrize(
    ("walkthrough", "place"),
    [
        ("abc",                   "walkthrough_video_data"),
        (["abc"],                 "walkthrough_video_data 0"),
        ([{"id": "x"}],           "walkthrough_video_data 0 provider"),
        ([{"provider": "mux"}],   "walkthrough_video_data 0 id"),
    ],
)  # fmt: skip
def test_what_its_walkthrough_may_not_say(walkthrough: Any, place: str) -> None:
    assert places(lesson_data_faults(EXERCISE, None, walkthrough)) == [place]


def places(faults: Iterable[Fault]) -> list[str]:
    return [" ".join(str(step) for step in fault.path) for fault in faults]
