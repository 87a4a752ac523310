"""Notifications: what is kept and pushed, unread counts by group, read marks, and kinds that a user does not want."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from flask import Flask

from jiki_auth.testing import make_user, signed_in
from jiki_core.db import unit_of_work
from jiki_core.plugins.erasing import CORE_TABLES
from jiki_core.runtime import runtime_of
from jiki_core.testing import drain_outbox
from jiki_core.testing.cable import CableClient

PATH = "internal/notifications"
ROOT = Path(__file__).parents[2]


class Reader:
    """Somebody who is told things."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.user = make_user(app)
        self.client = signed_in(app, self.user)

    def tell(self, type: str, **data: object):
        with self.app.app_context(), unit_of_work() as uow:
            return uow.notify(self.user.id, type, data)

    def types(self, query: str = "") -> list[str]:
        return [one["type"] for one in self.client.get(f"{PATH}{query}").expect(200).body["results"]]

    def unread(self) -> dict[str, int]:
        counts: dict[str, int] = self.client.get(PATH).expect(200).body["meta"]["unread_by_group"]
        return counts

    def prefer(self, **wanted: bool):
        given = {type.replace("__", "."): value for type, value in wanted.items()}
        return self.client.patch(f"{PATH}/preferences", {"preferences": given})


@pytest.fixture
def reader(db: Flask) -> Reader:
    return Reader(db)


def test_unread_ones_are_counted_by_group(reader):
    for type in ("learning.badge_awarded", "learning.lesson_unlocked", "payments.payment_failed", "gone.plugin"):
        reader.tell(type)
    assert reader.unread() == {"progress": 2, "payments": 1, "other": 1}
    assert reader.client.get(PATH).body["meta"]["unread_count"] == 4
    assert reader.types("?group=progress") == ["learning.lesson_unlocked", "learning.badge_awarded"]
    assert reader.types("?group=other") == ["gone.plugin"]
    assert reader.types("?group=nonsense") == []


def test_marking_one_a_group_and_all_as_read(reader):
    badge, _, _ = [reader.tell(f"learning.{one}") for one in ("badge_awarded", "lesson_unlocked", "streak_reminder")]
    reader.client.patch(f"{PATH}/{badge}/read").expect(200)
    assert reader.types("?unread=1") == ["learning.streak_reminder", "learning.lesson_unlocked"]
    reader.client.patch(f"{PATH}/groups/progress/read").expect(200)
    assert reader.unread() == {"reminders": 1}
    reader.client.patch(f"{PATH}/read").expect(200)
    assert reader.unread() == {}
    assert len(reader.types()) == 3


def test_somebody_elses_cannot_be_marked(reader, db):
    told = reader.tell("learning.badge_awarded")
    other = Reader(db)
    other.client.patch(f"{PATH}/{told}/read").expect(404, "not_found")
    other.client.patch(f"{PATH}/read").expect(200)
    assert reader.unread() == {"progress": 1}


def test_a_kind_that_is_not_wanted_is_neither_kept_nor_pushed(reader, db):
    assert reader.prefer(learning__badge_awarded=False).expect(200)
    assert reader.tell("learning.badge_awarded") is None
    assert reader.tell("learning.lesson_unlocked") is not None
    assert Reader(db).tell("learning.badge_awarded") is not None, "others want it still"
    assert reader.types() == ["learning.lesson_unlocked"]
    reader.prefer(learning__badge_awarded=True).expect(200)
    assert reader.tell("learning.badge_awarded") is not None


def test_preferences_list_every_kind_with_its_label(reader, db):
    listed = reader.prefer(learning__streak_reminder=False).expect(200).body["preferences"]
    assert listed == reader.client.get(f"{PATH}/preferences").expect(200).body["preferences"]
    assert {one["type"] for one in listed} == set(runtime_of(db).notification_kinds)
    assert [one["type"] for one in listed if not one["wanted"]] == ["learning.streak_reminder"]
    assert all(one["label"] for one in listed)
    reader.prefer(learning__streak_reminder=False, learning__badge_awarded=True).expect(200)


def test_what_is_mandatory_or_unknown_cannot_be_switched_off(reader):
    refused = reader.prefer(payments__payment_failed=False, learning__nonsense=True).expect(422, "validation_error")
    assert refused.error["errors"] == {
        "payments.payment_failed": [{"error": "inclusion"}],
        "learning.nonsense": [{"error": "unknown_field"}],
    }
    reader.prefer(payments__payment_failed=True).expect(200)
    reader.client.patch(f"{PATH}/preferences", {"preferences": {"learning.badge_awarded": "no"}}).expect(422)


def test_it_is_pushed_as_it_is_listed(committed_db: Flask):
    reader = Reader(committed_db)
    with CableClient(committed_db, reader.client) as client:
        pushed = client.subscribe("NotificationsChannel")
        told = reader.tell("learning.badge_awarded", slug="early_bird")
        drain_outbox(committed_db)
        assert pushed.receive() == {"id": str(told), "type": "learning.badge_awarded", "data": {"slug": "early_bird"}}


def test_what_is_not_wanted_is_part_of_an_export():
    assert "muted_notifications" in {one["table"] for one in CORE_TABLES["tables"]}


def told_by_the_code() -> set[str]:
    """Kinds that calls of `uow.notify` name."""
    found = set()
    for path in (*ROOT.glob("jiki_core/**/*.py"), *ROOT.glob("plugins/*/jiki_*/**/*.py")):
        if "template" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "notify" and len(node.args) == 3:
                kind = node.args[1]
                if isinstance(kind, ast.Constant):
                    found.add(kind.value)
    return found


def test_the_page_for_front_ends_lists_every_kind(app: Flask):
    page = (ROOT / "docs" / "live.md").read_text(encoding="utf-8")
    assert [kind for kind in runtime_of(app).notification_kinds if f"`{kind}`" not in page] == []


def test_every_kind_that_is_told_is_declared(app: Flask):
    told = told_by_the_code()
    assert len(told) >= 8
    assert told <= set(runtime_of(app).notification_kinds)
