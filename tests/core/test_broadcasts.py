"""Durable messages of a unit of work: through the relay, and at once besides, without being heard twice."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from jiki_auth.testing import make_user, signed_in
from jiki_core.db import reading, unit_of_work
from jiki_core.db.outbox import OutboxEntry
from jiki_core.testing import drain_outbox, wait_until
from jiki_core.testing.cable import CableClient


def test_a_durable_message_at_once_does_not_wait_for_the_relay_and_comes_once(committed_db: Flask):
    user = make_user(committed_db)
    stream = f"notifications/{user.id}"
    with CableClient(committed_db, signed_in(committed_db, user)) as client:
        heard = client.subscribe("NotificationsChannel")
        with committed_db.app_context(), unit_of_work() as uow:
            uow.broadcast(stream, {"n": 1}, durable=True, at_once=True)
        assert heard.receive() == {"n": 1}
        drain_outbox(committed_db)
        with committed_db.app_context(), unit_of_work() as uow:
            uow.broadcast(stream, {"n": 2})
        wait_until(lambda: {"n": 2} in heard.messages, what="the second message")
        assert [one["n"] for one in heard.messages if "n" in one] == [1, 2]


def test_it_is_in_the_outbox_for_when_the_line_to_valkey_is_broken(db: Flask):
    with db.app_context():
        with unit_of_work() as uow:
            uow.broadcast("room/1", {"n": 1}, durable=True, at_once=True)
            uow.broadcast("room/2", {"n": 2})
        assert reading().scalars(select(OutboxEntry.name).where(OutboxEntry.kind == "broadcast")).all() == ["room/1"]
