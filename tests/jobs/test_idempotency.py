"""The nine cases of docs/idempotency.md, and what they rest on."""

from __future__ import annotations

import threading

import pytest

from jiki_core.testing import ApiClient, count_queries, wait_until


def post(lab, path="internal/lab/count", body=None, key="k1", user=7, method="POST"):
    return lab.client(user).call(
        method, path, json=body or {"key": "a"}, headers={"Idempotency-Key": key} if key else {}
    )


def keys(lab):
    return lab.sql(
        "select user_id, key, route, state, status, sealed_body from core.idempotency_keys order by created_at"
    )


def test_case_1_without_a_key_every_request_acts(lab):
    assert [post(lab, key=None).expect(201).body["rows"] for _ in range(2)] == [1, 2]
    assert keys(lab) == []


def test_case_2_the_first_use_acts_and_stores_its_answer_with_the_effect(lab):
    answer = post(lab).expect(201)
    assert (answer.body["rows"], answer.headers.get("Idempotency-Replayed")) == (1, None)
    (row,) = keys(lab)
    assert (row.user_id, row.key, row.state, row.status) == (7, "k1", "answered", 201)
    assert row.route == "POST /api/v1/internal/lab/count"


def test_case_3_the_same_request_again_gives_the_first_answer_and_does_nothing(lab):
    first = post(lab).expect(201)
    again = post(lab).expect(201)
    assert again.response.get_data() == first.response.get_data()
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert lab.effects("a") == 1
    assert lab.sql("select count(*) from core.outbox")[0][0] == 1


@pytest.mark.parametrize(
    ("path", "body", "method"),
    [
        ("internal/lab/count", {"key": "b"}, "POST"),
        ("internal/lab/count?x=1", {"key": "a"}, "POST"),
        ("internal/lab/stumble", {"key": "a"}, "POST"),
        ("admin/lab/count", {"key": "a"}, "POST"),
    ],
)
def test_case_4_the_key_of_another_request_is_a_mismatch(lab, path, body, method):
    post(lab).expect(201)
    post(lab, path, body, method=method).expect(422, "idempotency_mismatch")
    assert (lab.effects("a"), lab.effects("b")) == (1, 0)


def test_case_5_while_the_first_request_works_the_second_is_told_to_come_back(lab):
    answers = []
    first = threading.Thread(target=lambda: answers.append(post(lab, "internal/lab/slow").status))
    first.start()
    try:
        wait_until(lambda: lab.valkey.exists("lab:waiting"), what="the first request's work")
        refused = post(lab, "internal/lab/slow").expect(409, "idempotency_in_progress")
        assert refused.headers["Retry-After"] == "1"
        post(lab, "internal/lab/slow", {"key": "b"}).expect(422, "idempotency_mismatch")
    finally:
        lab.valkey.set("lab:go", b"1")
        first.join(20)
    assert answers == [200]
    assert post(lab, "internal/lab/slow").expect(200).headers["Idempotency-Replayed"] == "true"
    assert lab.effects("a") == 1


def test_case_6_an_accident_is_not_stored_and_leaves_nothing(lab):
    post(lab, "internal/lab/stumble").expect(500, "internal_error")
    assert keys(lab) == []
    assert lab.effects("a") == 0
    assert post(lab, "internal/lab/stumble").expect(200).body["rows"] == 1


def test_case_7_a_refusal_is_an_answer_like_any_other(lab):
    first = post(lab, "internal/lab/refuse", method="PATCH").expect(422, "lab_full")
    again = post(lab, "internal/lab/refuse", method="PATCH").expect(422, "lab_full")
    assert (first.error["number"], again.error["number"]) == (1, 1)
    assert lab.effects("a") == 0
    post(lab, body={"wrong": 1}, key="k2").expect(422, "validation_error")
    assert post(lab, body={"wrong": 1}, key="k2").headers["Idempotency-Replayed"] == "true"


def test_case_8_keys_belong_to_their_user(lab):
    post(lab, user=7).expect(201)
    assert post(lab, user=8).expect(201).headers.get("Idempotency-Replayed") is None
    assert lab.effects("a") == 2
    ApiClient(lab.app).post("internal/lab/count", {"key": "a"}, headers={"Idempotency-Key": "k1"}).expect(401)


def test_case_9_an_expired_key_and_one_whose_request_died_are_free_again(lab):
    post(lab).expect(201)
    lab.sql("update core.idempotency_keys set expires_at = now() - interval '1 second'")
    post(lab, body={"key": "b"}).expect(201)
    assert (lab.effects("a"), lab.effects("b")) == (1, 1)
    lab.sql("update core.idempotency_keys set state = 'in_progress', locked_until = now() + interval '1 minute'")
    post(lab, body={"key": "b"}).expect(409, "idempotency_in_progress")
    lab.sql("update core.idempotency_keys set locked_until = now() - interval '1 second'")
    post(lab, body={"key": "c"}).expect(422, "idempotency_mismatch")
    post(lab, body={"key": "b"}).expect(201)
    assert lab.effects("b") == 2


def test_an_empty_answer_is_replayed_empty(lab):
    for _ in range(2):
        answer = lab.client().delete("internal/lab/count", headers={"Idempotency-Key": "k"}).expect(204)
        assert answer.response.get_data() == b""
    assert lab.effects("deleted") == 1


def test_a_secret_that_is_shown_once_is_not_readable_in_the_database(lab):
    first = lab.client().post("internal/lab/secret", headers={"Idempotency-Key": "k"}).expect(200)
    secret = first.body["secret"]
    (row,) = keys(lab)
    assert secret.encode() not in bytes(row.sealed_body)
    again = lab.client().post("internal/lab/secret", headers={"Idempotency-Key": "k"}).expect(200)
    assert again.body["secret"] == secret
    assert again.headers["Cache-Control"] == "no-store"


def test_a_view_with_a_call_between_two_units_resumes_when_it_failed_half_way(lab):
    post(lab, "internal/lab/two_units").expect(500)
    assert (lab.effects("a-prepared"), lab.effects("a-settled")) == (1, 0)
    post(lab, "internal/lab/two_units").expect(200)
    post(lab, "internal/lab/two_units").expect(200)
    assert (lab.effects("a-prepared"), lab.effects("a-settled")) == (2, 1)


def test_a_request_that_lost_its_key_to_another_commits_nothing(lab):
    def steal():
        wait_until(lambda: lab.valkey.exists("lab:waiting"), what="the request's work")
        lab.sql("update core.idempotency_keys set token = gen_random_uuid()")
        lab.valkey.set("lab:go", b"1")

    thief = threading.Thread(target=steal)
    thief.start()
    try:
        post(lab, "internal/lab/slow").expect(409, "idempotency_in_progress")
    finally:
        thief.join(20)
    assert lab.effects("a") == 0


@pytest.mark.parametrize("key", ["with space", "ä", "x" * 256])
def test_a_key_that_is_none_is_refused(lab, key):
    post(lab, key=key).expect(400, "bad_request")
    assert lab.effects("a") == 0


def test_the_document_shows_the_header_and_its_answers_where_a_key_is_taken(lab):
    document = lab.app.test_client().get("/openapi/v1.json").get_json()
    reference = {"$ref": "#/components/parameters/IdempotencyKey"}
    for path, operations in document["paths"].items():
        for method in operations.keys() & {"get", "post", "put", "patch", "delete"}:
            operation = operations[method]
            takes = method in ("post", "put", "patch", "delete") and path.split("/")[3] in ("internal", "admin")
            assert (reference in operation.get("parameters", [])) == takes, (method, path)
            if takes:
                assert "idempotency_in_progress" in operation["responses"]["409"]["description"]
                assert "idempotency_mismatch" in operation["responses"]["422"]["description"]
    refusing = document["paths"]["/api/v1/internal/lab/refuse"]["patch"]["responses"]["422"]
    assert refusing["description"] == "lab_full, idempotency_mismatch"
    assert document["components"]["parameters"]["IdempotencyKey"]["name"] == "Idempotency-Key"


def test_a_browser_may_see_that_an_answer_was_replayed(lab):
    origin = "http://localhost:3061"
    answer = lab.client().get("internal/notifications", headers={"Origin": origin}).expect(200)
    assert "Idempotency-Replayed" in answer.headers["Access-Control-Expose-Headers"]


def test_admin_has_keys_too(lab):
    for _ in range(2):
        assert post(lab, "admin/lab/count").expect(200).body == {"by": 7}
    assert lab.effects("a") == 1


def test_transactions_that_met_are_run_again_without_the_caller_noticing(lab):
    assert post(lab, "internal/lab/met", key=None).expect(200).body["rows"] == 1
    assert post(lab, "internal/lab/met", {"key": "b"}, key="k").expect(200).body["rows"] == 1
    assert (lab.effects("a"), lab.effects("b")) == (1, 1)


def test_fifty_at_once_with_one_key_act_once(lab):
    barrier, statuses = threading.Barrier(10), []

    def send():
        barrier.wait(20)
        for _ in range(5):
            statuses.append(post(lab).status)

    senders = [threading.Thread(target=send) for _ in range(10)]
    for one in senders:
        one.start()
    for one in senders:
        one.join(60)
    assert len(statuses) == 50
    assert set(statuses) <= {201, 409, 503}  # 503: more requests at once than database connections
    assert 201 in statuses
    assert lab.effects("a") == 1


def test_a_key_costs_two_statements_and_a_replay_two_in_all(lab):
    post(lab, key="warm").expect(201)
    client = lab.client()

    def statements(**headers):
        with count_queries(lab.app) as log:
            client.post("internal/lab/count", {"key": "a"}, headers=headers).expect(201)
        return [one for one in log.statements if "pg_current_xact_id" not in one]

    plain, keyed = statements(), statements(**{"Idempotency-Key": "cost"})
    assert len(keyed) - len(plain) == 2
    assert len(statements(**{"Idempotency-Key": "cost"})) == 2


def test_what_ended_before_a_refusal_stays_with_a_key_as_it_does_without_one(lab):
    """The audit of a denial above all: a key must not hide who tried what."""

    def denials():
        return lab.sql("select count(*) from core.audit_events where action = 'lab:denied' and actor_id = 7")[0][0]

    post(lab, "internal/lab/deny", key=None).expect(422, "lab_full")
    assert (denials(), lab.effects("a")) == (1, 1)
    for _ in range(2):
        post(lab, "internal/lab/deny").expect(422, "lab_full")
    assert (denials(), lab.effects("a")) == (2, 2)
