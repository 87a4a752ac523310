"""What the JSON of a lesson may say, by type (contract.md 4.1)."""

from __future__ import annotations

from typing import Any

import pytest

from jiki_learning.content.course import LessonType
from jiki_learning.content.lesson_data import lesson_data_faults

VIDEO, CHOOSE, EXERCISE, QUIZ = (
    LessonType.VIDEO,
    LessonType.CHOOSE_LANGUAGE,
    LessonType.EXERCISE,
    LessonType.QUIZ,
)
SOURCE = {"provider": "mux", "id": "abc", "durationSeconds": 90, "uploadDate": "2026-03-01"}


def sources(**changes: Any) -> dict[str, Any]:
    return {"sources": [{**SOURCE, **changes}]}


ACCEPTED = [
    # type      data                                                               walkthrough
    (VIDEO,     sources(),                                                         None),
    (VIDEO,     sources(language="python", provider="youtube", title="extra"),     None),
    (CHOOSE,    sources(),                                                         None),
    (CHOOSE,    {**sources(), "language_options": ["javascript", "python"]},       None),
    (EXERCISE,  None,                                                              None),
    (EXERCISE,  {},                                                                [{"provider": "mux", "id": "x"}]),
    (EXERCISE,  None,                                                              []),
    (QUIZ,      {"questions": []},                                                 None),
]  # fmt: skip


@pytest.mark.parametrize(("type", "data", "walkthrough"), ACCEPTED)
def test_what_a_lesson_may_say(type: LessonType, data: Any, walkthrough: Any) -> None:
    assert list(lesson_data_faults(type, data, walkthrough)) == []


FAULTS = [
    # type      data                                                walkthrough                 path of the fault
    (EXERCISE,  {"sources": []},                                    None,                       ("data",)),
    (EXERCISE,  [1],                                                None,                       ("data",)),
    (VIDEO,     None,                                               None,                       ("data",)),
    (CHOOSE,    {},                                                 None,                       ("data",)),
    (VIDEO,     {"sources": []},                                    None,                       ("data", "sources")),
    (VIDEO,     {"sources": "abc"},                                 None,                       ("data", "sources")),
    (VIDEO,     {"sources": ["abc"]},                               None,                       ("data", "sources", 0)),
    (VIDEO,     sources(provider="vimeo"),                          None,  ("data", "sources", 0, "provider")),
    (VIDEO,     sources(provider=["mux"]),                          None,  ("data", "sources", 0, "provider")),
    (VIDEO,     sources(id=" "),                                    None,  ("data", "sources", 0, "id")),
    (VIDEO,     sources(id=7),                                      None,  ("data", "sources", 0, "id")),
    (VIDEO,     sources(durationSeconds="90"),                      None,  ("data", "sources", 0, "durationSeconds")),
    (VIDEO,     sources(durationSeconds=True),                      None,  ("data", "sources", 0, "durationSeconds")),
    (VIDEO,     sources(durationSeconds=0),                         None,  ("data", "sources", 0, "durationSeconds")),
    (VIDEO,     sources(uploadDate="2026-02-30"),                   None,  ("data", "sources", 0, "uploadDate")),
    (VIDEO,     sources(uploadDate="20260301"),                     None,  ("data", "sources", 0, "uploadDate")),
    (VIDEO,     sources(language="cobol"),                          None,  ("data", "sources", 0, "language")),
    (CHOOSE,    {**sources(), "language_options": []},              None,  ("data", "language_options")),
    (CHOOSE,    {**sources(), "language_options": ["cobol"]},       None,  ("data", "language_options")),
    (EXERCISE,  None,       "abc",                                         ("walkthrough_video_data",)),
    (EXERCISE,  None,       [{"id": "x"}],                                 ("walkthrough_video_data", 0, "provider")),
    (EXERCISE,  None,       [{"provider": "mux"}],                         ("walkthrough_video_data", 0, "id")),
]  # fmt: skip


@pytest.mark.parametrize(("type", "data", "walkthrough", "path"), FAULTS)
def test_what_it_may_not(type: LessonType, data: Any, walkthrough: Any, path: tuple[str | int, ...]) -> None:
    assert [fault.path for fault in lesson_data_faults(type, data, walkthrough)] == [path]
