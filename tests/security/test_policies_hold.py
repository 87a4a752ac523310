"""Every guarded operation against everybody who may not call it, whatever plugin it belongs to (trust.md 1.4)."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask

from jiki_auth.testing import make_user, signed_in
from jiki_core.runtime import runtime_of
from jiki_core.security import Policy
from jiki_core.testing import ApiClient
from tests.security.operations import Operation, operations

SCOPE = "auth.read_own_account"


def guarded(app: Flask) -> Iterator[tuple[Operation, Policy]]:
    """Operations that need somebody, and their policies."""
    mounted = runtime_of(app).mounted
    by_method = {
        (method, rule.rule): mounted[rule.endpoint].policy
        for rule in app.url_map.iter_rules()
        if rule.endpoint in mounted
        for method in rule.methods or ()
    }
    for operation in operations(app):
        policy = by_method[operation.method, operation.rule]
        if policy.kind in ("signed_in", "permission"):
            yield operation, policy


def refusals(app: Flask, client: ApiClient, status: int, symbol: str, wanted) -> list[str]:
    """Operations that answer otherwise; `wanted` says which policies are tried."""
    wrong = []
    for operation, policy in guarded(app):
        if not wanted(policy):
            continue
        runtime_of(app).redis.flushdb()
        answer = client.call(operation.method, operation.path("1"))
        if answer.status == 404 and "UUIDConverter" in {kind for _, kind in operation.variables}:
            answer = client.call(operation.method, operation.path("0" * 8 + "-0000-0000-0000-" + "0" * 12))
        if (answer.status, (answer.body or {}).get("error", {}).get("type")) != (status, symbol):
            wrong.append(f"{operation} ({policy.describe()}): {answer.status} {answer.body}")
    return wrong


def test_nobody_gets_401_everywhere(db: Flask):
    assert refusals(db, ApiClient(db), 401, "unauthenticated", lambda policy: True) == []


def test_a_learner_gets_403_where_a_role_is_needed(db: Flask):
    permissions = runtime_of(db).permissions

    def needs_role(policy: Policy) -> bool:
        return policy.permission is not None and "learner" not in permissions[policy.permission].roles

    assert refusals(db, signed_in(db), 403, "forbidden", needs_role) == []


def test_a_key_gets_403_for_all_but_its_scope(db: Flask):
    owner = signed_in(db, make_user(db, is_admin=True))
    made = owner.post("internal/api_keys", {"name": "CI", "scopes": [SCOPE]}).expect(201).body["api_key"]["key"]
    client = ApiClient(db, {"Authorization": f"Bearer {made}"})
    assert refusals(db, client, 403, "insufficient_scope", lambda policy: policy.permission != SCOPE) == []


def test_there_is_something_to_try(db: Flask):
    assert len(list(guarded(db))) > 20
