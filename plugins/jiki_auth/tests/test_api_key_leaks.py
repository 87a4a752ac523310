"""Reports of leaked keys, signed as GitHub's secret scanning signs them (trust.md 1.3)."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from jiki_auth.testing import make_user, signed_in
from jiki_core.testing import ApiClient, drain_outbox

from .outside_world import as_json, serving

WHERE = "https://code.example/somebody/notes/settings.py"


class Scanner:
    """Publishes its keys over HTTP and signs reports."""

    def __init__(self):
        self.keys = {"first": ec.generate_private_key(ec.SECP256R1())}
        self.asked = 0

    def answer(self, _path, _form):
        self.asked += 1
        return as_json(200, {"public_keys": [self._published(name) for name in self.keys]})

    def _published(self, name):
        pem = self.keys[name].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return {"key_identifier": name, "key": pem.decode(), "is_current": True}

    def report(self, app, matches, *, key_id="first", signed_by=None, sent=None):
        body = matches if isinstance(matches, bytes) else json.dumps(matches).encode()
        key = signed_by or self.keys.get(key_id) or ec.generate_private_key(ec.SECP256R1())
        signature = key.sign(body, ec.ECDSA(hashes.SHA256()))
        headers = {
            "Github-Public-Key-Identifier": key_id,
            "Github-Public-Key-Signature": base64.b64encode(signature).decode(),
        }
        return ApiClient(app, headers).call(
            "POST", "webhooks/api_key_leaks", data=body if sent is None else sent, content_type="application/json"
        )


@pytest.fixture(scope="module")
def scanner():
    made = Scanner()
    with serving(made.answer) as made.port:
        yield made


@pytest.fixture
def school(app_with, scanner):
    app = app_with(JIKI_AUTH_LEAK_REPORT_KEYS_URL=f"http://127.0.0.1:{scanner.port}/")
    app.extensions.pop("jiki_auth.leak_report_keys", None)
    return app


@pytest.fixture
def owner(school):
    return make_user(school)


def new_key(app, owner):
    body = {"name": "the robot", "scopes": ["auth.read_own_account"]}
    return signed_in(app, owner).post("internal/api_keys", body).expect(201).body["api_key"]["key"]


def works(app, key):
    return ApiClient(app, {"Authorization": f"Bearer {key}"}).get("internal/me").status == 200


def leak(text):
    return {"token": text, "type": "jiki_api_key", "url": WHERE, "source": "content"}


def test_a_leaked_key_is_removed_and_its_owner_is_told(school, scanner, owner, newest):
    key, other = new_key(school, owner), new_key(school, owner)
    answer = scanner.report(school, [leak(key)]).expect(200)
    assert not answer.response.data
    assert not works(school, key)
    assert works(school, other)
    drain_outbox(school)
    mail = newest(owner.email, "removed an API key")
    assert "the robot" in mail.text
    assert WHERE in mail.text


def test_it_is_in_the_owners_audit_trail(school, scanner, owner):
    scanner.report(school, [leak(new_key(school, owner))]).expect(200)
    admin = signed_in(school, make_user(school, is_admin=True))
    trail = admin.get(f"admin/users/{owner.id}/audit").expect(200).body["results"]
    assert "api_key:removed_leak" in {entry["action"] for entry in trail}


def test_the_secret_before_a_rotation_counts_as_the_key(school, scanner, owner):
    key = new_key(school, owner)
    key_id = key.split("_")[2]
    newer = signed_in(school, owner).post(f"internal/api_keys/{key_id}/rotate").expect(200).body["api_key"]["key"]
    scanner.report(school, [leak(key)]).expect(200)
    assert not works(school, newer)


def test_the_same_report_again_and_what_is_no_key_do_nothing(school, scanner, owner):
    key = new_key(school, owner)
    report = [leak("jk_test_made_up"), {"token": 7}, "junk", leak(key), leak(key)]
    for _ in range(2):
        scanner.report(school, report).expect(200)
    assert not works(school, key)


def test_who_knows_only_the_id_takes_nobodys_key_away(school, scanner, owner):
    from jiki_auth.api_key_format import new_parts

    key = new_key(school, owner)
    scanner.report(school, [leak(new_parts("test", key.split("_")[2]).text)]).expect(200)
    assert works(school, key)


@pytest.mark.parametrize(
    "change",
    [
        {"signed_by": ec.generate_private_key(ec.SECP256R1())},
        {"key_id": "unknown"},
        {"key_id": ""},
        {"sent": b"[]"},
    ],
)
def test_what_the_scanner_did_not_sign_is_401_and_does_nothing(school, scanner, owner, change):
    key = new_key(school, owner)
    scanner.report(school, [leak(key)], **change).expect(401, "invalid_signature")
    assert works(school, key)


def test_without_a_signature_it_is_401(school):
    ApiClient(school).post("webhooks/api_key_leaks", []).expect(401, "invalid_signature")


def test_junk_that_is_signed_is_200(school, scanner):
    for body in (b"", b"junk", b"{}", b"\xff", b"[null]"):
        scanner.report(school, body).expect(200)


def test_invented_key_ids_do_not_make_us_ask_each_time(school, scanner):
    before = scanner.asked
    for number in range(5):
        scanner.report(school, [], key_id=f"invented-{number}").expect(401)
    assert scanner.asked == before + 1


def test_without_the_setting_nobody_is_believed(db, scanner):
    scanner.report(db, []).expect(401, "invalid_signature")
