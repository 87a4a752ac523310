"""A client for the control endpoints, so that tests say what they do in one line."""

from __future__ import annotations

from typing import Any

import requests

JsonObject = dict[str, Any]


class ControlRefused(AssertionError):
    """The stand-in refused a control call: the test asks for something impossible."""


class ControlClient:
    """Speaks `/_standin/…` of the stand-in at `url`. Every method raises ControlRefused when it was
    refused.
    """

    def __init__(self, url: str, timeout_seconds: float = 30.0) -> None:
        self._url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds

    def reset(self) -> None:
        """Forget everything but the webhook endpoints; disarm what was armed."""
        self._call("POST", "reset")

    def complete_checkout(self, session_id: str, outcome: str = "paid", **visitor: str) -> JsonObject:
        """Play the customer. `outcome`: paid, declined, requires_action, processing; `visitor`: email, name,
        card_country, decline_code. The checkout session as it is then."""
        return self._call("POST", f"checkout/{session_id}/complete", {"outcome": outcome, **visitor})

    def settle_payment(self, intent_id: str, *, is_paid: bool = True, **members: str) -> JsonObject:
        """End a payment that is processing or waits for the customer."""
        return self._call("POST", f"payment_intents/{intent_id}/settle", {"is_paid": is_paid, **members})

    def fail_next_payments(self, customer_id: str, times: int = 1, decline_code: str = "generic_decline") -> None:
        """Have the customer's next charges declined, whatever the card."""
        body = {"times": times, "decline_code": decline_code}
        self._call("POST", f"customers/{customer_id}/fail_next_payments", body)

    def now(self) -> int:
        """What time it is there, in seconds since the epoch."""
        return int(self._call("GET", "clock")["now"])

    def advance(self, *, days: float = 0, seconds: float = 0) -> int:
        """Move everybody's clock; all that falls due on the way is done before this returns."""
        return int(self._call("POST", "clock/advance", {"seconds": int(days * 86_400 + seconds)})["now"])

    def set_billing(self, **settings: Any) -> None:
        """`retry_days` (gaps between attempts), `after_last_retry` (cancel, unpaid, past_due)."""
        self._call("POST", "settings", settings)

    def dispute(self, charge_id: str, reason: str = "fraudulent") -> JsonObject:
        return self._call("POST", f"charges/{charge_id}/dispute", {"reason": reason})

    def close_dispute(self, dispute_id: str, status: str) -> JsonObject:
        """`won` or `lost`."""
        return self._call("POST", f"disputes/{dispute_id}/close", {"status": status})

    def arm_fault(self, kind: str, **members: Any) -> None:
        """`drop_reply`, `refuse`, `status` (status=), `delay` (seconds=), for method=, path= (prefix),
        times=.
        """
        self._call("POST", "faults", {"kind": kind, **members})

    def disarm_faults(self) -> None:
        self._call("DELETE", "faults")

    def set_delivery_mode(self, mode: str) -> None:
        """`auto`, `hold` (until delivered one by one, or back to auto) or `drop`."""
        self._call("POST", "deliveries/mode", {"mode": mode})

    def deliveries(self) -> list[JsonObject]:
        found: list[JsonObject] = self._call("GET", "deliveries")["deliveries"]
        return found

    def deliver(self, event_id: str) -> list[JsonObject]:
        """Send an event now, again if it was sent before; the attempts with their statuses."""
        attempts: list[JsonObject] = self._call("POST", f"events/{event_id}/deliver")["attempts"]
        return attempts

    def wait_for_deliveries(self, timeout_seconds: float = 10.0) -> bool:
        """Whether everything that could be sent was answered within the timeout."""
        return bool(self._call("POST", "deliveries/wait", {"timeout_seconds": timeout_seconds})["is_idle"])

    def _call(self, method: str, path: str, body: JsonObject | None = None) -> JsonObject:
        response = requests.request(method, f"{self._url}/_standin/{path}", json=body, timeout=self._timeout_seconds)
        answer: JsonObject = response.json()
        if response.status_code != 200:
            raise ControlRefused(f"{method} {path}: {answer['error']['message']}")
        return answer
