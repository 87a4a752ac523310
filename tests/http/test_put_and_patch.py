"""Where the contract takes PUT as well as PATCH, both do the same (contract.md 2.3 to 2.6)."""

from __future__ import annotations

import pytest

from jiki_auth.testing import make_user, signed_in

RESOURCES = [
    ("concepts", "concept", {"slug": "loops"}, {"slug": "repetition"}),
    ("challenges", "challenge", {"slug": "zoo", "exercise_slug": "zoo"}, {"exercise_slug": "animals"}),
]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(("resource", "root", "made", "changed"), RESOURCES)
def test_content_is_changed_by_either(db, method, resource, root, made, changed):
    admin = signed_in(db, make_user(db, is_admin=True))
    before = admin.post(f"admin/{resource}", {root: made}).expect(201).body[root]
    path = f"admin/{resource}/{before['id']}"
    assert admin.call(method, path, json={root: changed}).expect(200).body[root] == {**before, **changed}
    assert admin.get(path).expect(200).body[root] == {**before, **changed}


def test_every_route_that_takes_one_of_both_by_contract_takes_the_other(app):
    taken: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        taken.setdefault(rule.rule, set()).update(rule.methods or ())
    both = (
        "auth/password",
        "internal/profile/avatar",
        "external/email_preferences/<token>",
        "internal/user_videos/<uuid>",
        "admin/concepts/<concept_id>",
        "admin/challenges/<challenge_id>",
    )
    for path in both:
        assert {"PUT", "PATCH"} <= taken[f"/api/v1/{path}"], path
