"""How idempotency keys look in the OpenAPI document: the header, and its answers, on every route that takes it."""

from __future__ import annotations

from typing import Any

from apispec import APISpec, BasePlugin

from jiki_core.http.idempotency import (
    HEADER,
    IDEMPOTENT_AUDIENCES,
    REPLAYED_HEADER,
    IdempotencyInProgress,
    IdempotencyMismatch,
)

PARAMETER = "IdempotencyKey"
_WRITING = frozenset({"post", "put", "patch", "delete"})


class IdempotencyDocument(BasePlugin):
    """Runs last of apispec's plugins, on operations whose schemas have been resolved."""

    def init_spec(self, spec: APISpec) -> None:
        """Declares the header once; it appears in the document when a route takes it."""
        super().init_spec(spec)
        spec.components.parameter(
            PARAMETER,
            "header",
            {
                "name": HEADER,
                "description": (
                    "A value of the client's choice, such as a random UUID, for one thing that a person meant to do "
                    f"once. The same request again gets the first answer, with `{REPLAYED_HEADER}: true`."
                ),
                "required": False,
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            },
            lazy=True,
        )

    def operation_helper(self, path: str | None = None, operations: dict[str, Any] | None = None, **_: Any) -> None:
        """Adds the header and its answers to what writes under internal and admin."""
        if not takes_keys(path or ""):
            return
        for method, operation in (operations or {}).items():
            if method not in _WRITING:
                continue
            operation.setdefault("parameters", []).append(PARAMETER)
            responses = operation.setdefault("responses", {})
            _add(responses, 409, IdempotencyInProgress.symbol)
            _add(responses, 422, IdempotencyMismatch.symbol)


def takes_keys(path: str) -> bool:
    """Whether a path of the document is of an audience with keys: `/api/<version>/<audience>/…`."""
    parts = path.split("/")
    return len(parts) > 3 and parts[1] == "api" and parts[3] in IDEMPOTENT_AUDIENCES


def _add(responses: dict[Any, Any], status: int, symbol: str) -> None:
    """The symbol beside those that the route answers with this status anyway."""
    declared = next((key for key in responses if str(key) == str(status) or key == status), None)
    known = responses.pop(declared) if declared is not None else None
    told = known.get("description", "") if isinstance(known, dict) else "validation_error" if known else ""
    symbols = [one for one in told.split(", ") if one]
    responses[str(status)] = {
        "content": {"application/json": {"schema": "CoreErrorReply"}},
        **(known if isinstance(known, dict) else {}),
        "description": ", ".join(dict.fromkeys([*symbols, symbol])),
    }
