"""SES v2 over HTTP, against moto's server: the same message, the category's configuration set, refusals as failures."""

from __future__ import annotations

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from jiki_core.db import unit_of_work
from jiki_core.devserver.ports import free_port
from jiki_core.mail import send_mail
from tests.laboratory_fixtures import Laboratory

SENDERS = ("mail@mail.test", "nudge@notifications.test", "news@hello.test")


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


def sent(aws):
    messages = requests.get(f"{aws}/moto-api/data.json", timeout=10).json()
    return messages.get("ses", messages.get("sesv2", {}))


def test_a_verified_sender_sends(lab_on_ses, aws):
    client = boto3.client("sesv2", region_name="eu-central-1", endpoint_url=aws)
    for sender in SENDERS:
        client.create_email_identity(EmailIdentity=sender)
    for key in ("lab.receipt", "lab.nudge", "lab.news"):
        send(lab_on_ses, key)
    results = [row.result for row in lab_on_ses.sql("select result from core.job_receipts")]
    assert results == ["sent", "sent", "sent"]


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
