"""Reputation services: two formats, cache, budget, breaker, and what holds when nobody knows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jiki_core.contracts import Verdict
from jiki_core.runtime import runtime_of
from jiki_core.settings import Secret
from jiki_payments.network_reputation import (
    ReputationServices,
    UnreadableAnswer,
    read_ipqualityscore,
    read_proxycheck,
)

IP = "81.2.69.142"


@pytest.fixture
def services_at(db, reputation):
    """`services_at("proxycheck", …)` over the one local service."""
    configured = runtime_of(db).plugin_settings["payments"]

    def make(*names, **changes):
        given = {
            "reputation_services": names,
            "proxycheck_url": reputation.url,
            "proxycheck_key": Secret("pk"),
            "ipqualityscore_url": reputation.url,
            "ipqualityscore_key": Secret("ik"),
            **changes,
        }
        return ReputationServices(replace(configured, **given))

    with db.app_context():
        yield make


@pytest.mark.parametrize(
    ("facts", "suspect"),
    [
        ({"proxy": "yes", "type": "VPN"}, True),
        ({"proxy": "yes", "type": "TOR"}, True),
        ({"proxy": "yes", "type": "SOCKS5"}, True),
        ({"proxy": "no", "type": "Hosting"}, False),
        ({"proxy": "no"}, False),
    ],
)
def test_the_format_of_proxycheck(facts, suspect):
    assert read_proxycheck({"status": "ok", IP: facts}, IP).is_suspect is suspect


@pytest.mark.parametrize(
    ("facts", "suspect"),
    [
        ({"vpn": True}, True),
        ({"vpn": False, "active_vpn": True}, True),
        ({"proxy": True}, True),
        ({"tor": True}, True),
        ({"vpn": False, "proxy": False, "tor": False}, False),
        ({}, False),
    ],
)
def test_the_format_of_ipqualityscore(facts, suspect):
    assert read_ipqualityscore({"success": True, **facts}, IP).is_suspect is suspect


@pytest.mark.parametrize(
    ("read", "answer"),
    [
        (read_proxycheck, {}),
        (read_proxycheck, {"status": "denied", "message": "no queries left"}),
        (read_proxycheck, {"status": "ok"}),
        (read_proxycheck, {"status": "ok", IP: "yes"}),
        (read_ipqualityscore, {}),
        (read_ipqualityscore, {"success": False, "message": "no credits"}),
    ],
)
def test_what_is_no_answer_is_not_taken_for_one(read, answer):
    with pytest.raises(UnreadableAnswer):
        read(answer, IP)


@pytest.mark.parametrize("name", ["proxycheck", "ipqualityscore"])
def test_each_service_is_asked_over_http(services_at, reputation, name):
    reputation.suspects.add(IP)
    services = services_at(name)
    assert services.judge(IP).is_suspect
    assert not services.judge("81.2.69.143").is_suspect


def test_a_verdict_is_kept(services_at, reputation):
    services = services_at("proxycheck")
    assert services.judge(IP) == services.judge(IP)
    assert len(reputation.paths) == 1


def test_the_next_service_is_asked_when_the_first_does_not_know(services_at, reputation):
    reputation.suspects.add(IP)
    services = services_at("proxycheck", "ipqualityscore", proxycheck_url="http://127.0.0.1:1")
    assert services.judge(IP).is_suspect
    assert [path.split("/")[1] for path in reputation.paths] == ["api"]


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, None), (302, None), (200, b"<html>"), (200, b"[]"), (200, b"\xff"), (200, b'{"status":"denied"}')],
)
def test_a_service_that_fails_knows_nothing(services_at, reputation, status, body):
    reputation.status, reputation.body = status, body
    assert services_at("proxycheck").judge(IP) == Verdict()


@pytest.mark.parametrize("where", ["hangs", "stops_midway"])
def test_a_slow_service_is_not_waited_for(services_at, reputation, where):
    setattr(reputation, where, True)
    assert services_at("proxycheck", reputation_timeout_seconds=0.1).judge(IP) == Verdict()


def test_a_failing_service_is_left_alone(services_at, reputation):
    reputation.status = 500
    services = services_at("proxycheck", breaker_failures=3)
    for number in range(10):
        services.judge(f"81.2.69.{number}")
    assert len(reputation.paths) == 3


def test_the_days_budget_is_kept(services_at, reputation):
    services = services_at("proxycheck", reputation_daily_budget=2)
    for number in range(5):
        services.judge(f"81.2.69.{number}")
    assert len(reputation.paths) == 2


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "::1", "fe80::1", "", "junk"])
def test_nobody_is_asked_about_private_addresses_and_junk(services_at, reputation, address):
    assert services_at("proxycheck").judge(address) == Verdict()
    assert reputation.paths == []


def test_without_services_nothing_is_suspected(services_at):
    assert services_at().judge(IP) == Verdict()
