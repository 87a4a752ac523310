"""Every operation of the API and an example body for it, taken from the URL map and the OpenAPI document of the running app.

New routes of any plugin are covered without writing a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask

#: body schemas nest no deeper than this
MAXIMUM_DEPTH = 8


@dataclass(frozen=True)
class Operation:
    """One method of one route under /api/v1."""

    method: str
    rule: str
    #: names of the rule's variables, with their converters
    variables: tuple[tuple[str, str], ...]
    #: JSON schema of the body, references resolved; None without one
    body: Any

    @property
    def audience(self) -> str:
        return self.rule.split("/")[3]

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"

    def path(self, value: str) -> str:
        """The rule with every variable replaced."""
        return re.sub(r"<[^<>]+>", value.replace("\\", ""), self.rule)


def operations(app: Flask) -> Iterator[Operation]:
    """All of them, by rule and method."""
    document: dict[str, Any] = app.test_client().get("/openapi/v1.json").get_json()
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: one.rule):
        if not rule.rule.startswith("/api/v1/"):
            continue
        template = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        variables = tuple((name, type(converter).__name__) for name, converter in rule._converters.items())
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            told = document["paths"].get(template, {}).get(method.lower(), {})
            content = told.get("requestBody", {}).get("content", {}).get("application/json", {})
            schema = _resolved(content.get("schema"), document, 0) if content else None
            yield Operation(method, rule.rule, variables, schema)


def example(schema: Any, *, is_minimal: bool = False) -> Any:
    """A value that the schema allows, with all members of objects, or only those that are required."""
    if "enum" in schema:
        return next(value for value in schema["enum"] if value is not None)
    if "allOf" in schema:
        return example(schema["allOf"][0], is_minimal=is_minimal)
    for alternatives in ("anyOf", "oneOf"):
        if alternatives in schema:
            chosen = next(one for one in schema[alternatives] if one.get("type") != "null")
            return example(chosen, is_minimal=is_minimal)
    kind = schema.get("type")
    kind = next(one for one in kind if one != "null") if isinstance(kind, list) else kind
    if kind == "object" or "properties" in schema:
        wanted = schema.get("required", []) if is_minimal else schema.get("properties", {})
        return {name: example(schema["properties"][name], is_minimal=is_minimal) for name in wanted}
    if kind == "array":
        return [example(schema.get("items", {}), is_minimal=is_minimal)]
    if kind == "string":
        return {"date-time": "2030-01-01T00:00:00Z", "date": "2030-01-01", "uuid": "0" * 32}.get(
            schema.get("format", ""), "x"
        )
    return {"integer": schema.get("minimum", 1), "number": 1, "boolean": True}.get(str(kind), "x")


def closed_objects(schema: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """(path, schema) of every object within a schema that takes no members besides those it names."""
    if "allOf" in schema:
        yield from closed_objects(schema["allOf"][0], path)
    elif schema.get("properties") and schema.get("additionalProperties") is False:
        yield path, schema
        for name, member in schema["properties"].items():
            yield from closed_objects(member, (*path, name))


def _resolved(schema: Any, document: Any, depth: int) -> Any:
    if depth > MAXIMUM_DEPTH:
        return {}
    if isinstance(schema, list):
        return [_resolved(one, document, depth) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return _resolved(target, document, depth + 1)
    return {name: _resolved(value, document, depth + 1) for name, value in schema.items()}
