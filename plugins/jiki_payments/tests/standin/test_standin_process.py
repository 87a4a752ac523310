"""`python -m jiki_payments.standin` as bin/dev runs it: it says where it is, keeps its state, and ends
when told.
"""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jiki_payments.standin import ControlClient

from .conftest import Receiver, sdk_client

PACKAGE_ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its URL; ended with SIGTERM, and killed if that takes more than ten seconds."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(PACKAGE_ROOT), *sys.path])}
    process = subprocess.Popen(
        [sys.executable, "-m", "jiki_payments.standin", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 20)[0], "it said nothing within 20 seconds"
        line = process.stdout.readline()
        ready = re.match(r"stripe stand-in ready at (http://127\.0\.0\.1:\d+)", line)
        assert ready, line
        yield process, ready[1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait(5)
        if process.stdout is not None:
            process.stdout.close()


def test_it_keeps_its_state_across_restarts(tmp_path: Path) -> None:
    state = str(tmp_path / "stripe.json")
    with running("--state", state) as (_, url):
        client = sdk_client(url)
        price = client.v1.prices.create(
            {
                "currency": "usd",
                "unit_amount": 999,
                "recurring": {"interval": "month"},
                "product_data": {"name": "Premium"},
            }
        )
        session = client.v1.checkout.sessions.create(
            {
                "mode": "subscription",
                "line_items": [{"price": price.id, "quantity": 1}],
                "success_url": "http://localhost/",
            }
        )
        ControlClient(url).complete_checkout(session.id)
        now = ControlClient(url).advance(days=3)
    with running("--state", state) as (_, url):
        client, control = sdk_client(url), ControlClient(url)
        again = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
        assert again.status == "complete"
        assert control.now() >= now
        control.advance(days=30)
        assert [one.total for one in client.v1.invoices.list().data] == [999, 999]


def test_it_tells_the_endpoint_of_its_command_line(receiver: Receiver) -> None:
    with running("--webhook-url", receiver.url, "--webhook-secret", "whsec_dev") as (_, url):
        sdk_client(url).v1.customers.create({})
        assert ControlClient(url).wait_for_deliveries()
    assert receiver.types("whsec_dev") == ["customer.created"]


def test_a_taken_port_is_said_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "jiki_payments.standin", "--port", port],
            capture_output=True,
            text=True,
            timeout=20,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PACKAGE_ROOT), *sys.path])},
            check=False,
        )
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
