"""What the JSON of a lesson may say, by its type (contract.md 4.1): a rule over plain JSON values.

The loader turns each fault into a mistake with file and line; an editor of single lessons can turn it
into a field error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from jiki_learning.content.course import LessonType

PROVIDERS = ("mux", "youtube")
#: contract.md 3.7: what a course can be learned in
LANGUAGES = ("javascript", "python")


@dataclass(frozen=True, slots=True)
class Fault:
    """`path`: keys and indexes from the lesson's object, such as ("data", "sources", 0, "id")."""

    path: tuple[str | int, ...]
    cause: str
    remedy: str


def lesson_data_faults(type: LessonType, data: Any, walkthrough_video_data: Any) -> Iterator[Fault]:
    """Everything wrong with a lesson's `data` (None: not given) and `walkthrough_video_data` (None: none)."""
    if data is not None and not isinstance(data, dict):
        yield Fault(("data",), "data is not an object", "write an object, or leave the key out")
    else:
        yield from _data_faults(type, data or {})
    if walkthrough_video_data is not None:
        yield from _walkthrough_faults(walkthrough_video_data)


def _data_faults(type: LessonType, data: dict[str, Any]) -> Iterator[Fault]:
    match type:
        case LessonType.EXERCISE if data:
            yield Fault(("data",), "an exercise carries no data", "remove the key data")
        case LessonType.VIDEO | LessonType.CHOOSE_LANGUAGE:
            yield from _sources_faults(type, data)
            yield from _language_options_faults(data)


def _sources_faults(type: LessonType, data: dict[str, Any]) -> Iterator[Fault]:
    path: tuple[str | int, ...] = ("data", "sources") if "sources" in data else ("data",)
    sources = data.get("sources")
    if not isinstance(sources, list) or not sources:
        yield Fault(path, f"a {type} lesson needs sources", "list at least one video in data.sources")
        return
    for index, source in enumerate(sources):
        place = (*path, index)
        yield from _video_faults(place, source)
        if isinstance(source, dict):
            yield from _source_faults(place, source)


def _source_faults(path: tuple[str | int, ...], source: dict[str, Any]) -> Iterator[Fault]:
    """The client needs duration and date of a source for its structured data; a walkthrough has neither."""
    seconds = source.get("durationSeconds")
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 1:
        remedy = "write the length in whole seconds, at least 1"
        yield Fault((*path, "durationSeconds"), "the video's durationSeconds is missing or wrong", remedy)
    if not _is_date(source.get("uploadDate")):
        remedy = 'write a date such as "2026-03-01"'
        yield Fault((*path, "uploadDate"), "the video's uploadDate is missing or wrong", remedy)
    if "language" in source and source["language"] not in LANGUAGES:
        remedy = f"use one of {', '.join(LANGUAGES)}, or leave the key out"
        yield Fault((*path, "language"), f"unknown language {source['language']!r}", remedy)


def _language_options_faults(data: dict[str, Any]) -> Iterator[Fault]:
    if "language_options" not in data:
        return
    options = data["language_options"]
    if not isinstance(options, list) or not options or any(option not in LANGUAGES for option in options):
        remedy = f"list one or more of {', '.join(LANGUAGES)}"
        yield Fault(("data", "language_options"), "language_options is not a list of languages", remedy)


def _walkthrough_faults(videos: Any) -> Iterator[Fault]:
    path = ("walkthrough_video_data",)
    if not isinstance(videos, list):
        yield Fault(path, "walkthrough_video_data is not a list of videos", "list videos, or leave the key out")
        return
    for index, video in enumerate(videos):
        yield from _video_faults((*path, index), video)


def _video_faults(path: tuple[str | int, ...], video: Any) -> Iterator[Fault]:
    if not isinstance(video, dict):
        yield Fault(path, "a video is not an object", "write an object with provider and id")
        return
    if video.get("provider") not in PROVIDERS:
        remedy = f"use one of {', '.join(PROVIDERS)}"
        yield Fault((*path, "provider"), f"unknown video provider {video.get('provider')!r}", remedy)
    if not isinstance(video.get("id"), str) or not video["id"].strip():
        yield Fault((*path, "id"), "the video has no id", "write the provider's id of the video")


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        return False
