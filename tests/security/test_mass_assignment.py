"""No body of any route takes a member that it does not name: roles, ids and other people's fields least of all."""

from __future__ import annotations

import copy

import pytest
from flask import Flask

from jiki_auth.testing import make_user, signed_in
from tests.security.operations import Operation, closed_objects, example, operations

#: what attackers add; each is refused unless a schema names it
PRIVILEGES = ("admin", "is_admin", "role", "roles", "permissions", "id", "user_id", "owner_id", "confirmed_at")
PRIVILEGES += ("email_verified", "password_hash", "membership_type", "stripe_customer_id", "created_at", "__proto__")


def bodies_with_extra(operation: Operation):
    """(name of the extra member, whole body), for every object of the body."""
    for path, schema in closed_objects(operation.body):
        for name in PRIVILEGES:
            if name in schema["properties"]:
                continue
            body = example(operation.body)
            target = body
            for part in path:
                target = target[part]
            target[name] = 1
            yield ".".join((*path, name)), body


def extra_is_refused(answer, name: str) -> bool:
    """Whether the answer says `unknown_field` of the member; root members are reported without the root's name."""
    if not 400 <= answer.status < 500:
        return False
    errors = answer.body["error"].get("errors", {})
    candidates = {name, name.partition(".")[2] or name}
    return any({"error": "unknown_field"} in errors.get(candidate, []) for candidate in candidates)


def test_no_route_takes_what_it_does_not_name(db: Flask):
    clients = {"admin": signed_in(db, make_user(db, is_admin=True))}
    learner = signed_in(db)
    taken, tried = [], 0
    for operation in operations(db):
        if operation.body is None:
            continue
        client = clients.get(operation.audience, learner)
        for name, body in bodies_with_extra(operation):
            tried += 1
            answer = client.call(operation.method, operation.path("1"), json=copy.deepcopy(body))
            if not extra_is_refused(answer, name):
                taken.append(f"{operation} {name}: {answer.status} {answer.body}")
    assert not taken
    assert tried > 200


def test_every_body_is_an_object_that_is_closed(db: Flask):
    """A route whose body schema is open could not be checked; free-form members are named one by one in schemas."""
    open_bodies = [str(one) for one in operations(db) if one.body is not None and not list(closed_objects(one.body))]
    assert open_bodies == []


@pytest.mark.parametrize("path", [("user",), ()])
def test_the_check_itself_sees_an_answer_that_takes_the_member(path):
    class Took:
        status = 200
        body = {}

    assert not extra_is_refused(Took(), ".".join((*path, "admin")))
