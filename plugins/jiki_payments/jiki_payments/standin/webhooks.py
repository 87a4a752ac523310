"""Webhooks: events signed as Stripe signs them, delivered in order by one thread, retried, held back, or
sent on demand.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum

import requests

from jiki_payments.standin.events import wants
from jiki_payments.standin.presentation import present
from jiki_payments.standin.state import JsonObject, State

TIMEOUT_SECONDS = 20.0
DEFAULT_RETRY_SECONDS = (1.0, 5.0, 30.0, 120.0, 600.0)


class Mode(StrEnum):
    """What becomes of a new event."""

    AUTO = "auto"
    #: kept back until `deliver` or a return to `auto`: a test decides the order
    HOLD = "hold"
    #: never delivered: lost
    DROP = "drop"


@dataclass(slots=True)
class Delivery:
    """One event on its way to one endpoint."""

    event: str
    event_type: str
    endpoint: str
    status: str
    attempts: list[JsonObject] = field(default_factory=list)
    #: monotonic seconds
    due: float = 0.0


def signature_header(payload: bytes, secret: str, timestamp: int) -> str:
    """`Stripe-Signature` of these bytes: HMAC-SHA256 of `<timestamp>.<payload>`, scheme v1."""
    signed = f"{timestamp}.".encode() + payload
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


class Courier:
    """Delivers a state's events. Start it, hand it events (`State.on_event`), stop it."""

    def __init__(self, state: State, retry_seconds: Sequence[float] = DEFAULT_RETRY_SECONDS) -> None:
        self.mode = Mode.AUTO
        self._state = state
        self._retry_seconds = tuple(retry_seconds)
        self._deliveries: list[Delivery] = []
        self._changed = threading.Condition()
        self._is_stopping = False
        self._in_flight = 0
        self._thread = threading.Thread(target=self._run, name="stripe-standin-webhooks", daemon=True)
        state.on_event = self.take

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop after the attempt under way, within its timeout."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        self._thread.join(TIMEOUT_SECONDS + 1)

    def take(self, event: JsonObject) -> None:
        """Plan the delivery of a new event to everybody who wants it."""
        if self.mode is Mode.DROP:
            return
        status = "pending" if self.mode is Mode.AUTO else "held"
        with self._changed:
            for endpoint in self._state.all("webhook_endpoint", status="enabled"):
                if wants(endpoint, event["type"]):
                    self._deliveries.append(Delivery(event["id"], event["type"], endpoint["id"], status))
            self._changed.notify_all()

    def set_mode(self, mode: Mode) -> None:
        """Going back to `auto` releases what was held, in order."""
        with self._changed:
            self.mode = mode
            if mode is Mode.AUTO:
                for delivery in self._deliveries:
                    if delivery.status == "held":
                        delivery.status = "pending"
            self._changed.notify_all()

    def deliver_now(self, event_id: str) -> list[JsonObject]:
        """Send an event to everybody who wants it, once more if need be; each one's attempt. Waits for the
        answers.
        """
        with self._state.lock:
            event = self._state.get("event", event_id)
            endpoints = [
                one for one in self._state.all("webhook_endpoint", status="enabled") if wants(one, event["type"])
            ]
        return [self._attempt(self._delivery(event, endpoint)) for endpoint in endpoints]

    def deliveries(self) -> list[JsonObject]:
        """Every delivery with its attempts, oldest first."""
        with self._changed:
            return [{key: one for key, one in asdict(each).items() if key != "due"} for each in self._deliveries]

    def wait_until_idle(self, timeout_seconds: float) -> bool:
        """Whether, within the timeout, nothing was left to be sent right now (retries and held ones do not
        count).
        """
        with self._changed:
            return self._changed.wait_for(lambda: not self._in_flight and self._next() is None, timeout_seconds)

    def forget(self) -> None:
        with self._changed:
            self._deliveries.clear()
            self.mode = Mode.AUTO
            self._changed.notify_all()

    def _delivery(self, event: JsonObject, endpoint: JsonObject) -> Delivery:
        with self._changed:
            for delivery in self._deliveries:
                if (delivery.event, delivery.endpoint) == (event["id"], endpoint["id"]):
                    return delivery
            delivery = Delivery(event["id"], event["type"], endpoint["id"], "held")
            self._deliveries.append(delivery)
            return delivery

    def _next(self) -> Delivery | None:
        now = time.monotonic()
        waiting = (one for one in self._deliveries if one.status == "pending" and one.due <= now)
        return next(waiting, None)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_stopping or self._next() is not None, timeout=0.5)
                if self._is_stopping:
                    return
                delivery = self._next()
                if delivery is None:
                    continue
                delivery.status = "sending"
                self._in_flight += 1
            try:
                self._attempt(delivery)
            finally:
                with self._changed:
                    self._in_flight -= 1
                    self._changed.notify_all()

    def _attempt(self, delivery: Delivery) -> JsonObject:
        with self._state.lock:
            endpoint = self._state.objects["webhook_endpoint"].get(delivery.endpoint)
            event = self._state.objects["event"].get(delivery.event)
            if endpoint is None or event is None:
                delivery.status = "failed"
                return {"at": int(time.time()), "status": None, "error": "endpoint or event is gone"}
            payload = json.dumps(present(self._state, event), indent=2).encode()
            url, secret = endpoint["url"], endpoint["_secret"]
        attempt = _post(url, payload, secret)
        with self._state.lock, self._changed:
            delivery.attempts.append(attempt)
            if attempt["status"] is not None and 200 <= attempt["status"] < 300:
                if delivery.status != "succeeded":
                    event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
                delivery.status = "succeeded"
            elif delivery.status != "succeeded":
                retries = len(delivery.attempts) - 1
                has_retry = delivery.status == "sending" and retries < len(self._retry_seconds)
                delivery.status = "pending" if has_retry else "failed"
                delivery.due = time.monotonic() + (self._retry_seconds[retries] if has_retry else 0)
        return attempt


def _post(url: str, payload: bytes, secret: str) -> JsonObject:
    # The signature carries real time, whatever the stand-in's clock says: the receiver compares it with its
    # own.
    timestamp = int(time.time())
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature_header(payload, secret, timestamp),
        "User-Agent": "Stripe/1.0 (stand-in)",
    }
    try:
        response = requests.post(url, data=payload, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        return {"at": timestamp, "status": None, "error": type(error).__name__}
    return {"at": timestamp, "status": response.status_code, "error": None}
