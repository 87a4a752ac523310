"""Everything the stand-in knows: objects in the wire's own shape by kind and id, the clock, and what was
armed.

Keys that begin with `_` are the stand-in's own and never leave it. One lock guards it all (wire.py takes it).
"""

from __future__ import annotations

import json
import os
import secrets
import string
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jiki_payments.standin.clock import Clock
from jiki_payments.standin.errors import ResourceMissing

JsonObject = dict[str, Any]

API_VERSION = "2026-05-27.dahlia"
"""The only API version spoken; the client pins the same (contract.md 3.12)."""

#: id prefix -> (kind, the noun in Stripe's errors)
KINDS: dict[str, tuple[str, str]] = {
    "cus": ("customer", "customer"),
    "prod": ("product", "product"),
    "price": ("price", "price"),
    "cs": ("checkout.session", "checkout.session"),
    "sub": ("subscription", "subscription"),
    "in": ("invoice", "invoice"),
    "inpay": ("invoice_payment", "invoice_payment"),
    "pi": ("payment_intent", "payment_intent"),
    "pm": ("payment_method", "PaymentMethod"),
    "ch": ("charge", "charge"),
    "re": ("refund", "refund"),
    "dp": ("dispute", "dispute"),
    "bpc": ("billing_portal.configuration", "configuration"),
    "bps": ("billing_portal.session", "session"),
    "evt": ("event", "event"),
    "we": ("webhook_endpoint", "webhook endpoint"),
    "clock": ("test_helpers.test_clock", "test clock"),
}
_NOUNS = dict(KINDS.values())
_ALPHABET = string.ascii_letters + string.digits


@dataclass(slots=True)
class BillingSettings:
    """What an account owner sets in Stripe's dashboard."""

    #: days between the attempts to collect a renewal
    retry_days: list[int] = field(default_factory=lambda: [3, 5, 7])
    #: what becomes of the subscription then: `cancel`, `unpaid` or `past_due`
    after_last_retry: str = "cancel"


class State:
    """One Stripe account. Not thread-safe by itself: hold `lock`."""

    def __init__(self, public_url: str, path: Path | None = None) -> None:
        self.public_url = public_url.rstrip("/")
        self.lock = threading.RLock()
        self.on_event: Callable[[JsonObject], None] = lambda event: None
        self.request_id: str | None = None
        self.idempotency_key: str | None = None
        self._path = path
        self._forget()
        if path is not None and path.is_file():
            self._load(json.loads(path.read_text(encoding="utf-8")))

    def _forget(self) -> None:
        self.clock = Clock()
        self.objects: dict[str, dict[str, JsonObject]] = {kind: {} for kind, _ in KINDS.values()}
        self.settings = BillingSettings()
        #: customer -> the decline codes of its next payments
        self.armed_declines: dict[str, list[str]] = {}
        #: idempotency key -> the request it came with and its answer
        self.answers: dict[str, JsonObject] = {}

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{''.join(secrets.choice(_ALPHABET) for _ in range(24))}"

    def add(self, thing: JsonObject) -> JsonObject:
        self.objects[thing["object"]][thing["id"]] = thing
        return thing

    def get(self, kind: str, identifier: str, param: str = "id") -> JsonObject:
        """The object; raises ResourceMissing naming `param`."""
        found = self.objects[kind].get(identifier)
        if found is None:
            raise ResourceMissing(_NOUNS[kind], identifier, param)
        return found

    def find(self, identifier: str) -> JsonObject | None:
        """The object with this id, whatever its kind; None when there is none."""
        kind, _ = KINDS.get(identifier.split("_", 1)[0], (None, None))
        return self.objects[kind].get(identifier) if kind else None

    def all(self, kind: str, **fields: Any) -> list[JsonObject]:
        """Objects of a kind whose members have these values, oldest first."""
        return [
            one for one in self.objects[kind].values() if all(one.get(name) == value for name, value in fields.items())
        ]

    def timeline_of(self, customer_id: str | None) -> str | None:
        """The test clock a customer lives by; None is everybody's time."""
        customer = self.objects["customer"].get(customer_id) if customer_id else None
        return customer.get("test_clock") if customer else None

    def now(self, customer_id: str | None = None) -> int:
        return self.clock.now(self.timeline_of(customer_id))

    def reset(self) -> None:
        """Forget everything but the webhook endpoints."""
        endpoints = self.objects["webhook_endpoint"]
        self._forget()
        self.objects["webhook_endpoint"] = endpoints

    def save(self) -> None:
        """Write all of it to the file it was made with, if any; a reader sees the old file or the new one."""
        if self._path is None:
            return
        kept = {
            "objects": self.objects,
            "offset_seconds": self.clock.offset_seconds,
            "frozen": self.clock.frozen,
            "settings": asdict(self.settings),
            "armed_declines": self.armed_declines,
            "answers": self.answers,
        }
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(kept), encoding="utf-8")
        os.replace(draft, self._path)

    def _load(self, kept: JsonObject) -> None:
        self.objects.update(kept["objects"])
        self.clock.offset_seconds = kept["offset_seconds"]
        self.clock.frozen = kept["frozen"]
        self.settings = BillingSettings(**kept["settings"])
        self.armed_declines = kept["armed_declines"]
        self.answers = kept["answers"]
