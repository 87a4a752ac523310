"""Refresh tokens as a state machine: whatever is sent when, one family, and reuse ends it (RFC 9700 4.14.2)."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select, update

from jiki_auth.models import Session
from jiki_auth.testing import PASSWORD, make_user
from jiki_core.db import reading, unit_of_work
from jiki_core.testing import ApiClient
from jiki_core.testing.pytest_plugin import scaled


def refresh(client, token):
    return client.post("auth/token/refresh", {"refresh_token": token})


def pass_time(app, seconds):
    """Moves the family's last refresh into the past, which is the same as waiting."""
    with app.app_context(), unit_of_work() as uow:
        uow.session.execute(update(Session).values(refreshed_at=Session.refreshed_at - timedelta(seconds=seconds)))


@pytest.fixture
def family(client, db):
    user = make_user(db)
    return user, client.post("auth/token", {"email": user.email, "password": PASSWORD}).expect(200).body


def test_a_successor_works_and_its_predecessor_too_for_ten_seconds(client, family):
    first = family[1]["refresh_token"]
    second = refresh(client, first).expect(200).body["refresh_token"]
    assert refresh(client, first).expect(200).body["refresh_token"] == second
    refresh(client, second).expect(200)


def test_reuse_after_ten_seconds_ends_the_family_and_tells_the_owner(client, db, family, newest):
    user, pair = family
    second = refresh(client, pair["refresh_token"]).expect(200).body
    pass_time(db, 11)
    refresh(client, pair["refresh_token"]).expect(401, "refresh_reused")
    refresh(client, second["refresh_token"]).expect(401, "invalid_token")
    ApiClient(db, {"Authorization": f"Bearer {second['access_token']}"}).get("internal/me").expect(401, "invalid_token")
    assert newest(user.email, "ended a session")


def test_reuse_of_the_last_but_one_ends_the_family_at_once(client, family):
    first = family[1]["refresh_token"]
    second = refresh(client, first).body["refresh_token"]
    refresh(client, second)
    refresh(client, first).expect(401, "refresh_reused")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token.replace(".0.", ".1.", 1),
        lambda token: token.replace(".0.", ".00.", 1),
        lambda token: token.replace(".0.", ".-1.", 1),
        lambda token: token.replace(".0.", ".٣.", 1),
        lambda token: "é",
        lambda token: "0" * 32 + token[32:],
        lambda token: token + "x",
    ],
)
def test_spoilt_tokens_are_refused_and_end_nothing(client, family, spoil):
    token = family[1]["refresh_token"]
    refresh(client, spoil(token)).expect(401, "invalid_token")
    refresh(client, token).expect(200)


@pytest.mark.parametrize(
    "age",
    [{"expires_at": timedelta(seconds=0)}, {"last_used_at": timedelta(days=-31)}],
)
def test_a_family_ends_absolutely_and_when_it_is_not_used(client, db, family, age):
    with db.app_context(), unit_of_work() as uow:
        uow.session.execute(update(Session).values({name: uow.now + by for name, by in age.items()}))
    refresh(client, family[1]["refresh_token"]).expect(401, "invalid_token")


def test_any_order_of_refreshes_keeps_one_family_or_none(db):
    class Family(RuleBasedStateMachine):
        def __init__(self):
            super().__init__()
            self.client = ApiClient(db)
            self.user = make_user(db)
            body = self.client.post("auth/token", {"email": self.user.email, "password": PASSWORD}).body
            #: every token ever issued, oldest first
            self.tokens = [body["refresh_token"]]
            self.refreshed = time.monotonic() - 3_600
            self.is_alive = True

        def sessions(self):
            with db.app_context():
                query = select(func.count()).where(Session.user_id == self.user.id)
                return reading().execute(query).scalar_one()

        @rule(index=strategies.integers(0, 20))
        def send(self, index):
            position = index % len(self.tokens)
            answer = refresh(self.client, self.tokens[position])
            newest = len(self.tokens) - 1
            if not self.is_alive:
                answer.expect(401, "invalid_token")
            elif position == newest:
                self.tokens.append(answer.expect(200).body["refresh_token"])
                self.is_fresh = True
            elif position == newest - 1 and self.is_fresh:
                assert answer.expect(200).body["refresh_token"] == self.tokens[newest]
            else:
                answer.expect(401, "refresh_reused")
                self.is_alive = False
            assert self.sessions() == int(self.is_alive)

        is_fresh = False

        @precondition(lambda self: self.is_alive)
        @rule()
        def wait(self):
            pass_time(db, 11)
            self.is_fresh = False

    run_state_machine_as_test(
        Family,
        settings=settings(
            max_examples=scaled(60, least=6),
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
