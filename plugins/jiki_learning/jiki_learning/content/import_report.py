"""An import plan as lines for the person who runs the import, as `--dry-run` and the loader print them.

+ created    ~ updated    > moved    ? orphan    ! warning
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import unified_diff
from typing import Any

from jiki_learning.content.import_plan import FieldChange, ImportPlan, Kind, Moved, Place

_LINES_OF_A_DIFF = 20
_LONGEST_SCALAR = 60


def render_plan(plan: ImportPlan) -> str:
    """The whole plan, one summary line first; no trailing newline."""
    return "\n".join((_summary(plan), *_lines(plan)))


def _summary(plan: ImportPlan) -> str:
    counts = [
        (len(plan.created), "to create"),
        (len(plan.updated), "to update"),
        (len(plan.moved), "to move"),
        (len(plan.orphans), "orphaned and kept"),
    ]
    parts = ["new course"] if plan.is_new_course else []
    parts += [f"{count} {what}" for count, what in counts if count]
    if plan.is_empty:
        parts.insert(0, "no changes")
    return f"{plan.course.slug}: {', '.join(parts)}"


def _lines(plan: ImportPlan) -> Iterator[str]:
    places = {
        lesson.slug: f" ({level.slug} {position})"
        for level in plan.course.levels
        for position, lesson in enumerate(level.lessons, start=1)
    }
    for created in plan.created:
        yield f"+ {created.kind} {created.name}{places[created.name] if created.kind is Kind.LESSON else ''}"
    for updated in plan.updated:
        yield f"~ {updated.kind} {updated.name}"
        for change in updated.changes:
            yield from (f"    {line}" for line in _change(change))
    for moved in plan.moved:
        yield f"> {moved.kind} {moved.name}: {_places(moved)}"
    for orphan in plan.orphans:
        yield f"? {orphan.kind} {orphan.name}: not in the course any more; kept"
    for warning in plan.course.warnings:
        yield f"! {warning}"


def _places(moved: Moved) -> str:
    return f"{_place(moved.before)} → {_place(moved.after)}"


def _place(place: Place) -> str:
    return f"{place.level} {place.position}".strip()


def _change(change: FieldChange) -> Iterator[str]:
    before, after = _text(change.before), _text(change.after)
    if len(before) <= _LONGEST_SCALAR and len(after) <= _LONGEST_SCALAR and "\n" not in before + after:
        yield f"{change.name}: {before or '(none)'} → {after or '(none)'}"
        return
    yield f"{change.name}:"
    # The first two lines of a unified diff name files: there are none here.
    lines = list(unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1))[2:]
    lines = lines or ["(only the ends of lines differ)"]
    yield from (f"  {line}" for line in lines[:_LINES_OF_A_DIFF])
    if len(lines) > _LINES_OF_A_DIFF:
        yield f"  … {len(lines) - _LINES_OF_A_DIFF} more lines"


def _text(value: Any) -> str:
    """Text as it is, nothing as nothing, anything else as JSON: on one line when it is short."""
    if value is None or isinstance(value, str):
        return value or ""
    short = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return short if len(short) <= _LONGEST_SCALAR else json.dumps(value, ensure_ascii=False, indent=2)
