"""The main job, over HTTP and a websocket against separate processes: sign up, confirm, learn, unlock, earn a badge."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

from jiki_core.testing import wait_until

PASSWORD = "maple sundial 41"
PAGE = "http://localhost:3061"
TRACK = Path(os.environ.get("JIKI_EXERCISM_TRACK", Path(__file__).parents[3] / "shared" / "data" / "exercism-python"))
_numbers = itertools.count(1)


class Learner:
    """Somebody at a browser: cookies, the page's origin, and a socket."""

    def __init__(self, stack: Any) -> None:
        self.stack = stack
        self.email = f"learner{next(_numbers)}@example.test"
        self.http = requests.Session()
        self.http.headers.update({"Origin": PAGE, "Sec-Fetch-Site": "same-site"})

    def call(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self.http.request(method, f"{self.stack.origin}/api/v1/{path}", json=body, timeout=30)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text[:1000])
        return answer.json() if answer.content else None

    def sign_up_and_confirm(self) -> None:
        self.call("POST", "auth/signup", {"user": {"email": self.email, "password": PASSWORD}}, 201)
        self.call("POST", "auth/login", {"user": {"email": self.email, "password": PASSWORD}}, 401)
        mail = wait_until(lambda: self.stack.mails(self.email), what="the confirmation mail")[0]
        token = mail["links"][0].partition("token=")[2]
        assert self.call("GET", f"auth/confirmation?confirmation_token={token}")["status"] == "success"
        self.call("DELETE", "auth/logout", status=204)
        assert (
            self.call("POST", "auth/login", {"user": {"email": self.email, "password": PASSWORD}})["status"]
            == "success"
        )

    def socket(self) -> websocket.WebSocket:
        cookie = "; ".join(f"{one.name}={one.value}" for one in self.http.cookies)
        opened = websocket.create_connection(
            self.stack.cable_url, cookie=cookie, origin=PAGE, subprotocols=["actioncable-v1-json"], timeout=20
        )
        assert json.loads(opened.recv()) == {"type": "welcome"}
        identifier = json.dumps({"channel": "NotificationsChannel"})
        opened.send(json.dumps({"command": "subscribe", "identifier": identifier}))
        assert next(frames(opened, "type")) == {"identifier": identifier, "type": "confirm_subscription"}
        return opened


def frames(opened: websocket.WebSocket, member: str) -> Iterator[dict[str, Any]]:
    """Frames that have a member, without pings."""
    while True:
        frame = json.loads(opened.recv())
        if frame.get("type") != "ping" and member in frame:
            yield frame


def notifications_until(opened: websocket.WebSocket, wanted: set[str]) -> dict[str, dict[str, Any]]:
    """Messages by type, until every wanted one came."""
    found: dict[str, dict[str, Any]] = {}
    for frame in frames(opened, "message"):
        found.setdefault(frame["message"]["type"], frame["message"]["data"])
        if wanted <= found.keys():
            return found
    raise AssertionError("unreachable: the socket times out first")


@pytest.fixture
def learner(stack):
    made = Learner(stack)
    made.sign_up_and_confirm()
    return made


def test_the_main_job_on_the_bundled_course(learner):
    course = learner.call("GET", "internal/user_courses/coding-fundamentals")["user_course"]
    assert course["course_slug"] == "coding-fundamentals", "every new account is enrolled"
    levels = learner.call("GET", "internal/levels?course_slug=coding-fundamentals")["levels"]
    lessons = [lesson["slug"] for lesson in levels[0]["lessons"]]
    opened = learner.socket()

    shown = learner.call("GET", "internal/user_levels?course_slug=coding-fundamentals")["user_levels"]
    assert shown[0]["user_lessons"] == [
        {"lesson_slug": lessons[0], "status": "not_started", "walkthrough_video_watched_percentage": None}
    ]
    refused = learner.call("POST", f"internal/user_lessons/{lessons[1]}/start", status=422)
    assert refused["error"]["type"] == "lesson_not_unlocked"
    learner.call("POST", f"internal/user_lessons/{lessons[0]}/start")
    events = learner.call("PATCH", f"internal/user_lessons/{lessons[0]}/complete")["meta"]["events"]
    assert events == [{"type": "lesson_unlocked", "data": {"lesson_slug": lessons[1]}}]
    assert learner.call("PATCH", f"internal/user_lessons/{lessons[0]}/complete")["meta"]["events"] == []

    told = notifications_until(opened, {"learning.lesson_unlocked", "learning.badge_awarded"})
    assert told["learning.lesson_unlocked"] == {"lesson_slug": lessons[1]}
    opened.close()

    learner.call("POST", f"internal/user_lessons/{lessons[1]}/start")
    files = {"submission": {"files": [{"filename": "solution.js", "code": "move()\n"}]}}
    learner.call("POST", f"internal/lessons/{lessons[1]}/exercise_submissions", files, 201)
    latest = learner.call("GET", f"internal/lessons/{lessons[1]}/exercise_submissions/latest")["submission"]
    assert latest["files"] == [{"filename": "solution.js", "content": "move()\n"}]

    def badge_states():
        return {one["slug"]: one["state"] for one in learner.call("GET", "internal/badges")["badges"]}

    wait_until(lambda: badge_states().get("first_lesson") == "unrevealed", what="the badge first_lesson")
    listed = learner.call("GET", "internal/notifications")
    assert [one["type"] for one in listed["results"]].count("learning.lesson_unlocked") == 1


@pytest.mark.skipif(not TRACK.is_dir(), reason="the exercism track of the shared folder is not here")
def test_the_main_job_on_the_exercism_course(stack, learner):
    stack.flask("learning", "import", str(TRACK), "--format", "exercism")
    again = stack.flask("learning", "import", str(TRACK), "--format", "exercism")
    assert "exercism-python: no change" in again

    learner.call("POST", "internal/user_courses/exercism-python/enroll")
    levels = wait_until(
        lambda: learner.call("GET", "internal/levels?course_slug=exercism-python")["levels"], what="the levels"
    )
    assert sum(len(level["lessons"]) for level in levels) == 161
    opened = learner.socket()
    learner.call("POST", "internal/user_lessons/hello-world/start")
    files = {
        "submission": {"files": [{"filename": "hello_world.py", "code": "def hello():\n    return 'Hello, World!'\n"}]}
    }
    learner.call("POST", "internal/lessons/hello-world/exercise_submissions", files, 201)
    events = learner.call("PATCH", "internal/user_lessons/hello-world/complete")["meta"]["events"]
    assert events[0]["type"] == "lesson_unlocked"
    told_on_socket = notifications_until(opened, {"learning.lesson_unlocked"})
    assert told_on_socket["learning.lesson_unlocked"] == events[0]["data"]
    opened.close()


def test_a_socket_from_a_page_that_is_not_allowed_is_refused(stack, learner):
    cookie = "; ".join(f"{one.name}={one.value}" for one in learner.http.cookies)
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        websocket.create_connection(stack.cable_url, cookie=cookie, origin="http://evil.example", timeout=10)


def test_signing_out_ends_the_socket(learner):
    opened = learner.socket()
    learner.call("DELETE", "auth/logout", status=204)
    frame = next(frames(opened, "reason"))
    assert frame["type"] == "disconnect"
    assert frame["reconnect"] is False
    opened.close()
