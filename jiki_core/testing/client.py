"""The client of tests: every answer is checked against the OpenAPI document, so that neither can drift."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from jiki_core.testing.coverage import record_hit


@dataclass(frozen=True)
class Answer:
    """A response whose body was checked."""

    response: TestResponse

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def headers(self) -> Any:
        return self.response.headers

    @property
    def body(self) -> Any:
        """The JSON value; None for an empty body."""
        return self.response.get_json(silent=True) if self.response.data else None

    @property
    def error(self) -> dict[str, Any]:
        """The `error` member."""
        found: dict[str, Any] = self.body["error"]
        return found

    def expect(self, status: int, error: str | None = None) -> Answer:
        """Asserts the status, and the error symbol where one is given; returns itself."""
        assert self.status == status, (
            f"expected {status}, got {self.status}: {self.response.get_data(as_text=True)[:2000]}"
        )
        if error is not None:
            assert self.error["type"] == error, self.body
        return self


class ApiClient:
    """Calls `/api/v1` paths. Cookies are kept; `headers` are sent with every request."""

    def __init__(self, app: Flask, headers: dict[str, str] | None = None) -> None:
        self._app = app
        self.http: FlaskClient = app.test_client()
        self.headers = headers or {}

    def get(self, path: str, **options: Any) -> Answer:
        return self.call("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> Answer:
        return self.call("POST", path, json=json, **options)

    def patch(self, path: str, json: Any = None, **options: Any) -> Answer:
        return self.call("PATCH", path, json=json, **options)

    def put(self, path: str, json: Any = None, **options: Any) -> Answer:
        return self.call("PUT", path, json=json, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.call("DELETE", path, **options)

    def call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> Answer:
        """`path` is relative to `/api/v1` unless it starts with a slash. A body of None is no body."""
        if options.get("json") is None:
            options.pop("json", None)
        target = path if path.startswith("/") else f"/api/v1/{path}"
        told = {**self.headers, **(headers or {})}
        response = self.http.open(target, method=method, headers=told, buffered=True, **options)  # files are closed
        self._check(method, response)
        return Answer(response)

    def _check(self, method: str, response: TestResponse) -> None:
        rule = response.request.path
        adapter = self._app.url_map.bind("localhost")
        try:
            matched, _ = adapter.match(rule, method=method, return_rule=True)
        except Exception:  # no route: the envelope of 404 and 405 has no operation in the document
            return
        if not matched.rule.startswith("/api/") or method == "OPTIONS":
            return
        record_hit(f"{method} {matched.rule}", response.status_code)
        document = document_of(self._app)
        template = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", matched.rule)
        operation = document.operation(template, method)
        assert operation is not None, f"{method} {template} is not in the OpenAPI document"
        if response.status_code == 304:
            return
        declared = operation["responses"].get(str(response.status_code)) or operation["responses"].get("default")
        assert declared is not None, f"{method} {template} does not document the status {response.status_code}"
        schema = document.schema_of(declared)
        if schema is not None and response.data:
            document.validate(schema, response.get_json(), f"{method} {template} {response.status_code}")


class Document:
    """An app's OpenAPI document, with look-ups for validation."""

    def __init__(self, app: Flask) -> None:
        self._spec: dict[str, Any] = app.test_client().get("/openapi/v1.json").get_json()

    def operation(self, template: str, method: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._spec["paths"].get(template, {}).get(method.lower())
        return found

    def schema_of(self, response: dict[str, Any]) -> dict[str, Any] | None:
        if "$ref" in response:
            response = self._components["responses"][response["$ref"].rpartition("/")[2]]
        content = response.get("content", {})
        found: dict[str, Any] | None = content.get("application/json", {}).get("schema")
        return found

    def validate(self, schema: dict[str, Any], body: Any, where: str) -> None:
        whole = {**schema, "components": self._components}
        faults = sorted(Draft202012Validator(whole).iter_errors(body), key=str)
        assert not faults, f"{where}: " + "; ".join(f"{list(one.path)}: {one.message}" for one in faults[:5])

    @cached_property
    def _components(self) -> dict[str, Any]:
        found: dict[str, Any] = self._spec.get("components", {})
        return found


def document_of(app: Flask) -> Document:
    """The document, read once per app."""
    found: Document | None = app.extensions.get("jiki_testing.document")
    if found is None:
        found = app.extensions["jiki_testing.document"] = Document(app)
    return found
