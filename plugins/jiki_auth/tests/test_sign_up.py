"""Sign-up and confirmation (contract.md 2.3, 3.1, 3.2 and section 1)."""

from __future__ import annotations

from jiki_auth.testing import PASSWORD, make_user


def sign_up(client, email="ada@example.test", **fields):
    return client.post("auth/signup", {"user": {"email": email, "password": PASSWORD, **fields}})


def token_of(mail):
    return mail.links[0].partition("token=")[2]


def test_a_new_account_is_unconfirmed_and_gets_a_link(client, mails):
    answer = sign_up(client).expect(201)
    assert answer.body["user"] == {"email": "ada@example.test", "email_confirmed": False}
    assert answer.body["meta"] == {"events": []}
    mail = mails()[0]
    assert mail.to == "ada@example.test"
    assert mail.links[0].startswith("http://localhost:3061/auth/confirm-email?token=")


def test_the_link_confirms_and_signs_in(client, mails):
    sign_up(client)
    token = token_of(mails()[0])
    answer = client.get(f"auth/confirmation?confirmation_token={token}").expect(200)
    assert answer.body["status"] == "success"
    assert answer.body["user"]["email_confirmed"] is True
    client.get("internal/me").expect(200)
    assert mails()[0].subject == "Welcome to Jiki"


def test_the_link_works_again_right_after(client, mails):
    sign_up(client)
    token = token_of(mails()[0])
    client.get(f"auth/confirmation?confirmation_token={token}").expect(200)
    client.get(f"auth/confirmation?confirmation_token={token}").expect(200)


def test_an_unknown_link_is_refused(client):
    client.get("auth/confirmation?confirmation_token=junk").expect(422, "invalid_token")


def test_a_taken_address_gets_the_same_answer_and_its_owner_a_mail(client, db, mails):
    user = make_user(db)
    first = sign_up(client, "new@example.test").expect(201)
    second = sign_up(client, user.email).expect(201)
    assert {**first.body, "user": None} == {**second.body, "user": None}
    assert first.body["user"].keys() == second.body["user"].keys()
    assert "You already have an account" in {mail.subject for mail in mails() if mail.to == user.email}


def test_a_taken_handle_is_refused(client, db):
    user = make_user(db)
    answer = sign_up(client, handle=user.handle).expect(422, "validation_error")
    assert answer.error["errors"] == {"handle": [{"error": "taken"}]}


def test_field_faults_are_told_together(client):
    answer = client.post("auth/signup", {"user": {"email": "no address", "password": "short"}}).expect(422)
    assert answer.error["errors"] == {
        "email": [{"error": "invalid"}],
        "password": [{"error": "too_short", "count": 8}],
    }


def test_a_handle_is_made_of_the_address(client, db, mails):
    sign_up(client, "john.doe@example.test")
    mails()
    token = token_of(mails()[-1])
    body = client.get(f"auth/confirmation?confirmation_token={token}").body
    assert body["user"]["handle"] == "john-doe"
