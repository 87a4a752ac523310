"""A learner who was sent away, and whose client ignores that: what they whisper reaches nobody, whoever still listens."""

from __future__ import annotations

import time
from contextlib import ExitStack

from flask import Flask

from jiki_core.runtime import runtime_of
from jiki_core.testing import CableClient, wait_until
from jiki_learning.queries.collaborations import access_collaboration
from jiki_learning.testing import import_levels, make_learner

PATH = "internal/collaborations"


def test_who_was_sent_away_and_ignores_it_whispers_to_nobody(committed_db: Flask) -> None:
    import_levels(committed_db, (1,))
    owner, removed = make_learner(committed_db), make_learner(committed_db)
    owner.start("lesson-1-1").expect(200)
    files = [{"filename": "solution.js", "code": "move()"}]
    body = {"collaboration": {"lesson_slug": "lesson-1-1", "files": files}}
    uuid = owner.client.post(PATH, body).expect(201).body["collaboration"]["uuid"]
    link = owner.client.post(f"{PATH}/{uuid}/invitations", {"invitation": {"role": "edit"}}).expect(201)
    removed.client.post(f"{PATH}/join", {"token": link.body["invitation"]["token"]}).expect(200)
    with ExitStack() as sockets:
        here, there = (
            sockets.enter_context(CableClient(committed_db, one.client)).subscribe("CollaborationChannel", uuid=uuid)
            for one in (owner, removed)
        )
        participant = there.receive()["participant_id"]
        with committed_db.app_context():
            stream = access_collaboration(owner.user.id, uuid).stream
        there.whisper(cursor=1)
        wait_until(lambda: {"cursor": 1} in here.messages, what="a cursor before the removal")
        owner.client.delete(f"{PATH}/{uuid}/participants/{participant}").expect(204)
        later = time.monotonic() + 1.1
        wait_until(lambda: time.monotonic() > later)
        # the owner's client ignores `moved` as well, and listens where the other still is
        there.whisper(cursor=2)
        there.whisper(cursor=3)
        assert there.presence(id="1") == {"type": "error"}
        runtime_of(committed_db).publish(stream, {"settled": True})
        wait_until(lambda: {"settled": True} in here.messages, what="the last message of the old stream")
        assert [one["cursor"] for one in here.messages if "cursor" in one] == [1]
