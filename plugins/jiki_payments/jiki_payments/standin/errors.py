"""Stripe's error answers as exceptions: raised anywhere below a route, turned into the wire's `error`
object in one place.
"""

from __future__ import annotations

from typing import Any


class StripeProblem(Exception):
    """One error answer. `extras` become members of `error` (decline_code, payment_intent)."""

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        **extras: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error: dict[str, Any] = {"type": kind, "message": message}
        if code is not None:
            self.error["code"] = code
            self.error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if param is not None:
            self.error["param"] = param
        self.error.update(extras)


class InvalidRequest(StripeProblem):
    """400: the caller has to send something else."""

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(400, "invalid_request_error", message, code=code, param=param)


class ResourceMissing(StripeProblem):
    """404: no object of that kind has that id."""

    def __init__(self, noun: str, identifier: str, param: str = "id") -> None:
        super().__init__(
            404,
            "invalid_request_error",
            f"No such {noun}: '{identifier}'",
            code="resource_missing",
            param=param,
        )


class CardDeclined(StripeProblem):
    """402: the card said no."""

    def __init__(self, payment_error: dict[str, Any], payment_intent: dict[str, Any] | None = None) -> None:
        extras: dict[str, Any] = {
            key: payment_error[key] for key in ("decline_code", "payment_method") if key in payment_error
        }
        if payment_intent is not None:
            extras["payment_intent"] = payment_intent
        super().__init__(402, "card_error", payment_error["message"], code=payment_error["code"], **extras)
