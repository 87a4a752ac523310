"""`/openapi/cable.json` of the whole product: valid AsyncAPI, every channel described, every truth a route that exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from jsonschema import Draft7Validator, Draft202012Validator

from jiki_auth.testing import make_user, signed_in
from jiki_core.db import unit_of_work
from jiki_core.testing import CableClient, drain_outbox

#: its streams are whatever was signed, so it is described and restored by who signed them
SIGNED = "$pubsub"


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    return _read(app, "/openapi/cable.json")


def _read(app: Flask, path: str) -> dict[str, Any]:
    found: dict[str, Any] = app.test_client().get(path).get_json()
    return found


def test_it_is_what_asyncapi_says_a_document_is(document: dict[str, Any], node_modules: Path) -> None:
    schema = orjson.loads((node_modules / "@asyncapi/specs/schemas/3.0.0.json").read_bytes())
    assert [error.message for error in Draft7Validator(schema).iter_errors(document)] == []
    broken = {**document, "channels": {"RoomChannel": {"address": 7}}}
    assert not Draft7Validator(schema).is_valid(broken)


def test_every_shape_is_json_schema(document: dict[str, Any]) -> None:
    channels = document["channels"].values()
    shapes = [message["payload"] for channel in channels for message in channel["messages"].values()]
    for shape in [*shapes, *(channel["x-identifier"] for channel in channels)]:
        Draft202012Validator.check_schema(shape)


def test_what_restores_the_truth_of_a_channel_is_a_route(app: Flask, document: dict[str, Any]) -> None:
    paths = _read(app, "/openapi/v1.json")["paths"]
    reads = [_pattern(path) for path, operations in paths.items() if "get" in operations]
    truths = {name: channel["x-truth"] for name, channel in document["channels"].items() if name != SIGNED}
    assert len(truths) >= 4
    assert {name: truth for name, truth in truths.items() if not any(read.fullmatch(truth) for read in reads)} == {}


def _pattern(path: str) -> re.Pattern[str]:
    """A truth may name a parameter as it likes, or say which value it has, such as `latest`."""
    return re.compile("GET " + re.sub(r"{\w+}", "[^/]+", path))


def test_every_channel_says_what_it_sends(document: dict[str, Any]) -> None:
    sent = {name: document["operations"][f"{name}.messages"]["messages"] for name in document["channels"]}
    assert [name for name, messages in sent.items() if len(messages) < 2 and name != SIGNED] == []


def test_a_notification_is_what_the_document_says(committed_db: Flask) -> None:
    payload = _read(committed_db, "/openapi/cable.json")["channels"]["NotificationsChannel"]["messages"]["notification"]
    user = make_user(committed_db)
    with CableClient(committed_db, signed_in(committed_db, user)) as client:
        told = client.subscribe("NotificationsChannel")
        with committed_db.app_context(), unit_of_work() as uow:
            uow.notify(user.id, "learning.badge_awarded", {"slug": "early_bird"})
        drain_outbox(committed_db)
        Draft202012Validator(payload["payload"]).validate(told.receive())
