"""SES v2 over HTTP, against moto's server: the same message, the category's configuration set, refusals as failures."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from jiki_core.db import unit_of_work
from jiki_core.devserver.ports import free_port
from jiki_core.mail import send_mail
from tests.laboratory_fixtures import Laboratory

SENDERS = ("mail@mail.test", "nudge@notifications.test", "news@hello.test")


@contextmanager
def recorder() -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """An endpoint that takes everything: its URL, and (path, body) of what it was sent."""
    seen: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"MessageId": "1"}')

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test reads what was sent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def aws():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def lab_on_ses(lab, lab_folder, make_app, aws, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    requests.post(f"{aws}/moto-api/reset", timeout=10)
    app = make_app(
        (),
        {
            "JIKI_PLUGINS_ENABLED": "lab",
            "JIKI_MAIL_TRANSPORT": "ses",
            "JIKI_SES_REGION": "eu-central-1",
            "JIKI_SES_ENDPOINT_URL": aws,
            "JIKI_MAIL_FROM": SENDERS[0],
            "JIKI_MAIL_FROM_NOTIFICATIONS": SENDERS[1],
            "JIKI_MAIL_FROM_MARKETING": SENDERS[2],
        },
    )
    return Laboratory(app, lab_folder)


def send(lab, key):
    with lab.app.app_context(), unit_of_work() as uow:
        send_mail(uow, key, to="ada@example.test", context={"name": "Ada"})
    lab.drain()


def test_a_verified_sender_sends(lab_on_ses, aws):
    client = boto3.client("sesv2", region_name="eu-central-1", endpoint_url=aws)
    for sender in SENDERS:
        client.create_email_identity(EmailIdentity=sender)
    for key in ("lab.receipt", "lab.nudge", "lab.news"):
        send(lab_on_ses, key)
    results = [row.result for row in lab_on_ses.sql("select result from core.job_receipts")]
    assert results == ["sent", "sent", "sent"]


def test_the_provider_gets_the_message_as_it_is_under_the_set_of_its_category(lab, lab_folder, make_app, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with recorder() as (url, requests_seen):
        settings = {
            "JIKI_PLUGINS_ENABLED": "lab",
            "JIKI_MAIL_TRANSPORT": "ses",
            "JIKI_SES_REGION": "eu-central-1",
            "JIKI_SES_ENDPOINT_URL": url,
            "JIKI_MAIL_FROM_MARKETING": SENDERS[2],
            "JIKI_SES_CONFIGURATION_SETS": "account,nudges,campaigns",
        }
        there = Laboratory(make_app((), settings), lab_folder)
        for key in ("lab.receipt", "lab.nudge", "lab.news"):
            send(there, key)
    assert [path for path, _ in requests_seen] == ["/v2/email/outbound-emails"] * 3
    bodies = [body for _, body in requests_seen]
    assert [body["ConfigurationSetName"] for body in bodies] == ["account", "nudges", "campaigns"]
    assert bodies[2]["EmailTags"] == [{"Name": "category", "Value": "marketing"}]
    assert (bodies[2]["FromEmailAddress"], bodies[2]["Destination"]) == (
        SENDERS[2],
        {"ToAddresses": ["ada@example.test"]},
    )
    message = email.message_from_bytes(
        base64.b64decode(bodies[2]["Content"]["Raw"]["Data"]), policy=email.policy.default
    )
    assert (message["Subject"], message["X-Jiki-Template"]) == ("News for Ada", "lab.news")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_an_unverified_sender_is_a_failure_that_is_tried_again(lab_on_ses):
    send(lab_on_ses, "lab.receipt")
    (row,) = lab_on_ses.sql("select state, failures, reason from core.outbox")
    assert (row.state, row.failures) == ("new", 1)
    assert row.reason.startswith("NotAccepted: MessageRejected")


def test_a_provider_that_is_away_is_a_failure_that_is_tried_again(lab, lab_folder, make_app, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    settings = {
        "JIKI_PLUGINS_ENABLED": "lab",
        "JIKI_MAIL_TRANSPORT": "ses",
        "JIKI_SES_REGION": "eu-central-1",
        "JIKI_SES_ENDPOINT_URL": "http://127.0.0.1:1",
        "JIKI_SES_CONFIGURATION_SETS": "transactional,notifications,marketing",
    }
    there = Laboratory(make_app((), settings), lab_folder)
    send(there, "lab.receipt")
    (row,) = lab.sql("select state, reason from core.outbox")
    assert (row.state, row.reason.split(":")[0:2]) == ("new", ["NotAccepted", " EndpointConnectionError"])
