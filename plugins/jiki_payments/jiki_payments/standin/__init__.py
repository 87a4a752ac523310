"""A stand-in for Stripe over HTTP: stateful, on the real SDK's wire format, with signed webhooks and a clock
to advance.

For tests and `bin/dev` only: `python -m jiki_payments.standin --port N`, or `StandInServer` inside a test.
Nothing that runs in production imports it. README.md beside this file says what it models.
"""

from __future__ import annotations

from jiki_payments.standin.client import ControlClient
from jiki_payments.standin.server import StandInServer

__all__ = ["ControlClient", "StandInServer"]
