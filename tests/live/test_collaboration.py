"""Yjs clients under Node in shared files: they converge through restarts of everything, and see what they may see."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from jiki_core.testing import wait_until
from jiki_core.testing.pytest_plugin import scaled
from jiki_learning.commands.share_document import COMPACT_AFTER_UPDATES
from jiki_learning.queries.collaborations import CollaborationRole

pytestmark = pytest.mark.fault


def pauses(seconds: float) -> Callable[[], object]:
    """A server's absence: it ends when the time is over, as seen by the clock that the test runs on."""

    def wait() -> None:
        until = time.monotonic() + seconds
        wait_until(lambda: time.monotonic() >= until, seconds=seconds + 5)

    return wait


@pytest.mark.timeout(3_600)
def test_two_typists_converge_through_restarts_of_everything(meet, live, dice):
    meeting = meet(solution="def hello():\n    pass\n", tests="")
    meeting.enter(meeting.owner)
    meeting.enter(meeting.partner())
    meeting.typists.settled()
    breakages = {
        "gevent killed": lambda: live.restart("gevent"),
        "gevent stopped": lambda: live.restart("gevent", signal.SIGTERM),
        "threads killed": lambda: live.restart("threads"),
        "threads stopped": lambda: live.restart("threads", signal.SIGTERM),
        "scheduler killed": lambda: live.restart("scheduler"),
        "PostgreSQL restarted": lambda: live.restart_engine("postgres", pauses(dice.random())),
        "Valkey restarted": lambda: live.restart_engine("valkey", pauses(dice.random())),
        "nothing": lambda: None,
    }
    happened = list(breakages)
    for number in range(scaled(200, least=len(breakages))):
        if number % len(happened) == 0:
            dice.shuffle(happened)
        what = happened[number % len(happened)]
        typing = [
            meeting.typists.tell("type", n=n, edits=dice.randint(1, 12), seed=dice.randrange(1 << 30), ms=800)
            for n in range(2)
        ]
        breakages[what]()
        for one in typing:
            meeting.typists.answer(one)
        first, second = meeting.typists.settled(90)
        assert first == second == meeting.texts(), f"round {number}: {what}"


@pytest.mark.timeout(240)
def test_both_cable_clients_and_a_viewer_share_a_file(meet, dice):
    meeting = meet(solution="move()\n")
    viewer = meeting.partner("view")
    numbers = [
        meeting.enter(meeting.owner, "rails"),
        meeting.enter(meeting.partner(), "anycable"),
        meeting.enter(viewer, "anycable"),
    ]
    meeting.typists.settled()
    for n in numbers[:2]:
        meeting.typists.tell("type", n=n, edits=40, seed=dice.randrange(1 << 30), ms=3_000)
    meeting.typists.tell("point", n=1, position={"line": 3})
    texts = meeting.typists.settled()
    wait_until(lambda: {"cursor": {"line": 3}} in meeting.typists.ask("state")["states"][0]["cursors"], what="a cursor")
    assert texts[0] == texts[1] == texts[2] == meeting.texts()
    roles = [state["role"] for state in meeting.typists.ask("state")["states"]]
    assert roles == [CollaborationRole.EDIT, CollaborationRole.EDIT, CollaborationRole.VIEW]
    before = meeting.texts()
    meeting.typists.ask("type", n=2, edits=3, seed=1, ms=100)
    assert meeting.texts() == before


@pytest.mark.timeout(240)
def test_many_edits_are_compacted_while_they_are_made(meet, dice):
    meeting = meet(solution="")
    numbers = [meeting.enter(meeting.owner), meeting.enter(meeting.partner())]
    meeting.typists.settled()
    for _ in range(3):
        for n in numbers:
            meeting.typists.tell("type", n=n, edits=COMPACT_AFTER_UPDATES, seed=dice.randrange(1 << 30), ms=5_000)
        texts = meeting.typists.settled(90)
        assert texts[0] == texts[1] == meeting.texts()


@pytest.mark.timeout(240)
def test_who_is_removed_sees_nothing_more_within_a_second(meet, dice):
    meeting = meet(solution="move()\n")
    removed = meeting.partner()
    meeting.enter(meeting.owner)
    meeting.enter(meeting.partner())
    meeting.enter(removed, "rails")
    meeting.typists.settled()
    shown = removed.client.get(meeting.path).expect(200).body["collaboration"]["participants"]
    participant_id = next(one["id"] for one in shown if one["is_you"])
    meeting.owner.client.delete(f"{meeting.path}/participants/{participant_id}").expect(204)
    removed_at = time.monotonic()
    wait_until(
        lambda: meeting.typists.ask("state")["states"][2]["closed"] == "removed", seconds=1, what="word of the removal"
    )
    assert time.monotonic() - removed_at < 1.5
    before = meeting.typists.ask("state")["texts"][2]
    meeting.typists.ask("type", n=0, edits=10, seed=dice.randrange(1 << 30), ms=300)
    texts = meeting.typists.settled()
    assert texts[0] == texts[1] == meeting.texts() != before
    assert texts[2] == before


@pytest.mark.timeout(240)
def test_what_is_too_large_for_a_socket_goes_over_rest(meet):
    meeting = meet(solution="move()\n")
    meeting.enter(meeting.owner)
    meeting.enter(meeting.partner())
    meeting.typists.settled()
    meeting.typists.ask("paste", n=0, length=50_000)
    texts = meeting.typists.settled()
    assert texts[0] == texts[1] == meeting.texts()
    assert len(texts[1]["solution.js"]) == 50_007
