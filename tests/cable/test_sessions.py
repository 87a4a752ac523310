"""Session records on a real Valkey."""

from __future__ import annotations

import pytest
import redis

from jiki_core.cable.keys import Keys
from jiki_core.cable.sessions import SESSION_SECONDS, SessionRecord, find_session, keep_sessions, save_session

SID = "p7Qe2mVb9K_wLx03zTf1a"
RECORD = SessionRecord(42, ('{"channel":"A"}', '{ "channel":"Ü" }'))


def test_a_record_comes_back_as_it_was(client: redis.Redis) -> None:
    save_session(client, SID, RECORD)
    assert find_session(client, SID, 42) == RECORD


def test_another_user_does_not_get_it(client: redis.Redis) -> None:
    save_session(client, SID, RECORD)
    assert find_session(client, SID, 43) is None


@pytest.mark.parametrize("sid", ["", "short", "a" * 65, "x" * 20 + "*", "another-sid-of-length"])
def test_an_unknown_or_impossible_sid_has_none(client: redis.Redis, sid: str) -> None:
    save_session(client, SID, RECORD)
    assert find_session(client, sid, 42) is None


def test_records_run_out_unless_they_are_kept(client: redis.Redis) -> None:
    save_session(client, SID, RECORD)
    client.expire(Keys.of(client).session(SID), 5)
    keep_sessions(client, [SID, "unknown-sid-of-nobody"])
    assert SESSION_SECONDS - 5 <= int(str(client.ttl(Keys.of(client).session(SID)))) <= SESSION_SECONDS
