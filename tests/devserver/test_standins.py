"""Stand-ins for outside services: who gets one, where, and when the real service is used instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from jiki_core.devserver.errors import ServiceError
from jiki_core.devserver.ports import free_port
from jiki_core.devserver.standin_processes import Placed, placed_standins
from jiki_core.devserver.standins import Place, StandIn

URL = "http://localhost:3060"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    config = tmp_path / "jiki.toml"
    config.write_text('[plugins]\nenabled = ["auth", "payments"]\n')
    return {"JIKI_ENV": "development", "JIKI_CONFIG": str(config)}


def test_an_enabled_plugin_gets_its_stand_in_at_an_address_of_this_machine(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    (placed,) = placed_standins(tmp_path, URL, environment)
    assert placed.standin.name == "stripe"
    assert placed.environment["STRIPE_API_BASE"] == f"http://127.0.0.1:{placed.place.port}"
    assert placed.link == ("stripe", f"{placed.place.url}/_standin/")
    command = placed.program(tmp_path).command
    assert f"{URL}/api/v1/webhooks/stripe" in command
    assert str(tmp_path / "standins" / "stripe" / "state.json") in command


def test_its_port_is_the_same_at_the_next_start(tmp_path: Path, environment: dict[str, str]) -> None:
    (first,) = placed_standins(tmp_path, URL, environment)
    (second,) = placed_standins(tmp_path, URL, environment)
    assert first.place == second.place


@pytest.mark.parametrize(
    "change",
    [
        {"STRIPE_SECRET_KEY": "sk_test_of_an_account"},
        {"JIKI_PLUGINS_ENABLED": "auth"},
        {"JIKI_CONFIG": "/nowhere/jiki.toml"},
    ],
    ids=["the account's key is given", "the plugin is off", "the configuration is broken"],
)
def test_no_stand_in_when(tmp_path: Path, environment: dict[str, str], change: dict[str, str]) -> None:
    assert not list(placed_standins(tmp_path, URL, {**environment, **change}))


def test_one_that_does_not_answer_is_named_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jiki_core.devserver.standin_processes.READY_SECONDS", 0.2)
    silent = StandIn("bank", "BANK_KEY", "json.tool", lambda place: (), lambda place: {}, "/health")
    placed = Placed(silent, Place(free_port(), tmp_path, URL))
    assert placed.link is None
    with pytest.raises(ServiceError, match="the stand-in bank did not answer") as refused:
        placed.await_health()
    assert "set BANK_KEY" in refused.value.remedy
