"""Two at once, on real connections: one account, one use of a code, one family of tokens."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

from PIL import Image
from sqlalchemy import func, select

from jiki_auth.models import Session, User
from jiki_auth.testing import PASSWORD, make_user, signed_in
from jiki_core.db import reading
from jiki_core.storage import attached
from jiki_core.testing import ApiClient, drain_outbox

from .conftest import code_of, seed_of


def at_once(calls):
    """Runs all, each in a thread; returns their answers."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(60) for future in [pool.submit(call) for call in calls]]


def count(app, column, *conditions):
    with app.app_context():
        return reading().execute(select(func.count(column)).where(*conditions)).scalar_one()


def test_the_same_address_signs_up_twice_at_once(committed_db):
    body = {"user": {"email": "twin@example.test", "password": PASSWORD}}
    ApiClient(committed_db).get("/openapi/v1.json")
    answers = at_once([lambda: ApiClient(committed_db).post("auth/signup", body)] * 3)
    assert [answer.status for answer in answers] == [201] * 3
    assert count(committed_db, User.id) == 1


def test_two_addresses_want_one_handle_at_once(committed_db):
    calls = [
        lambda number=number: ApiClient(committed_db).post(
            "auth/signup", {"user": {"email": f"ada@{number}.example.test", "password": PASSWORD}}
        )
        for number in range(3)
    ]
    assert [answer.status for answer in at_once(calls)] == [201] * 3
    assert count(committed_db, User.handle.distinct()) == 3


def test_one_code_signs_in_once(committed_db):
    admin = make_user(committed_db, is_admin=True)
    clients = [ApiClient(committed_db) for _ in range(4)]
    for client in clients:
        answer = client.post("auth/login", {"user": {"email": admin.email, "password": PASSWORD}}).expect(200)
    code = code_of(seed_of(answer.body["provisioning_uri"]))
    answers = at_once([lambda client=client: client.post("auth/setup-2fa", {"otp_code": code}) for client in clients])
    assert sorted(answer.status for answer in answers) == [200, 401, 401, 401]
    assert count(committed_db, Session.id) == 1


def test_two_tabs_refresh_at_once_and_both_go_on(committed_db):
    user = make_user(committed_db)
    first = ApiClient(committed_db).post("auth/token", {"email": user.email, "password": PASSWORD}).expect(200).body
    token = first["refresh_token"]
    answers = at_once(
        [lambda: ApiClient(committed_db).post("auth/token/refresh", {"refresh_token": token})] * 4,
    )
    assert {answer.expect(200).body["refresh_token"] for answer in answers} == {answers[0].body["refresh_token"]}
    assert count(committed_db, Session.id) == 1
    for answer in answers:
        bearer = {"Authorization": f"Bearer {answer.body['access_token']}"}
        ApiClient(committed_db, bearer).get("internal/me").expect(200)


def test_a_new_password_ends_a_session_of_another_connection_at_once(committed_db):
    user = make_user(committed_db)
    changing, other = signed_in(committed_db, user), signed_in(committed_db, user)
    other.get("internal/me").expect(200)
    changing.patch("internal/settings/password", {"value": "violet anchor 22"}).expect(200)
    other.get("internal/me").expect(401, "unauthenticated")


def test_many_uses_of_a_key_at_once(committed_db):
    owner = signed_in(committed_db)
    body = {"name": "CI", "scopes": ["auth.read_own_account"]}
    key = owner.post("internal/api_keys", body).expect(201).body["api_key"]["key"]
    client = {"Authorization": f"Bearer {key}"}
    answers = at_once([lambda: ApiClient(committed_db, client).get("internal/me")] * 5)
    assert [answer.status for answer in answers] == [200] * 5


def test_of_two_avatars_at_once_one_stays_and_the_other_goes(committed_db):
    user = make_user(committed_db)
    target = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(target, "PNG")

    def put():
        sent = {"avatar": (io.BytesIO(target.getvalue()), "me.png")}
        return signed_in(committed_db, user).call(
            "PUT", "internal/profile/avatar", data=sent, content_type="multipart/form-data"
        )

    urls = {answer.expect(200).body["profile"]["avatar_url"] for answer in at_once([put, put])}
    drain_outbox(committed_db)
    shown = signed_in(committed_db, user).get("internal/me").expect(200).body["user"]["avatar_url"]
    statuses = {}
    for url in urls | {shown}:
        with committed_db.test_client().get(url) as answer:
            statuses[url] = answer.status_code
    assert statuses == {**dict.fromkeys(urls, 404), shown: 200}
    with committed_db.app_context():
        assert len(attached(User, [user.id], name="avatar")[user.id]) == 1
