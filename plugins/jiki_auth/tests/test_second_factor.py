"""The second factor: compulsory for admins, for everybody who wants it (contract.md 3.3; trust.md 1.2)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from jiki_auth.models import OtpChallenge, User
from jiki_auth.testing import PASSWORD, make_user, signed_in
from jiki_core.db import reading, unit_of_work

from .conftest import code_of, seed_of, set_cookies, token_in
from .test_settings import age_sign_in


@pytest.fixture
def admin(db):
    return make_user(db, is_admin=True)


def login(client, user):
    return client.post("auth/login", {"user": {"email": user.email, "password": PASSWORD}}).expect(200)


def set_up(client, user):
    """Signs in for the first time; returns the seed."""
    seed = seed_of(login(client, user).body["provisioning_uri"])
    client.post("auth/setup-2fa", {"otp_code": code_of(seed)}).expect(200)
    return seed


def test_an_admins_first_sign_in_asks_for_an_app(client, admin):
    answer = login(client, admin)
    assert answer.body["status"] == "2fa_setup_required"
    assert "user" not in answer.body
    email = admin.email.replace("@", "%40")
    assert answer.body["provisioning_uri"].startswith(f"otpauth://totp/Jiki:{email}?secret=")
    assert answer.body["provisioning_uri"].endswith(
        "&issuer=Jiki&image=https%3A%2F%2Fjiki.io%2Fstatic%2Fimages%2Flogo.png"
    )
    assert set_cookies(answer)[0] == {"jiki_otp"}
    client.get("internal/me").expect(401, "unauthenticated")


def test_the_same_seed_until_it_is_enabled(client, admin):
    assert login(client, admin).body == login(client, admin).body


def test_the_first_code_enables_and_signs_in(client, admin):
    seed = seed_of(login(client, admin).body["provisioning_uri"])
    answer = client.post("auth/setup-2fa", {"otp_code": code_of(seed)}).expect(200)
    assert answer.body["status"] == "success"
    assert answer.body["user"]["admin"] is True
    assert set_cookies(answer)[0] == {"jiki_session", "jiki_user_id_development"}
    assert "jiki_otp" in set_cookies(answer)[1]
    client.get("admin/users").expect(200)


def test_later_sign_ins_ask_for_a_code(client, admin):
    seed = set_up(client, admin)
    client.delete("auth/logout")
    answer = login(client, admin)
    assert answer.body == {"status": "2fa_required", "meta": {"events": []}}
    client.get("internal/me").expect(401)
    client.post("auth/verify-2fa", {"otp_code": code_of(seed, steps_away=1)}).expect(200)
    client.get("internal/me").expect(200)


def test_a_code_works_once(client, admin):
    seed = set_up(client, admin)
    login(client, admin)
    client.post("auth/verify-2fa", {"otp_code": code_of(seed)}).expect(401, "invalid_otp")


def test_an_older_step_is_refused_after_a_newer_one(client, admin):
    seed = seed_of(login(client, admin).body["provisioning_uri"])
    client.post("auth/setup-2fa", {"otp_code": code_of(seed, steps_away=1)}).expect(200)
    login(client, admin)
    client.post("auth/verify-2fa", {"otp_code": code_of(seed)}).expect(401, "invalid_otp")


def test_a_clock_that_is_minutes_off_is_told(client, admin):
    seed = seed_of(login(client, admin).body["provisioning_uri"])
    answer = client.post("auth/setup-2fa", {"otp_code": code_of(seed, steps_away=8)}).expect(401, "invalid_otp")
    assert answer.error["reason"] == "out_of_sync"


def test_without_a_password_first_the_session_is_expired(client):
    client.post("auth/verify-2fa", {"otp_code": "123456"}).expect(401, "session_expired")
    client.http.set_cookie("jiki_otp", "junk")
    client.post("auth/setup-2fa", {"otp_code": "123456"}).expect(401, "session_expired")


def test_after_five_minutes_the_session_is_expired(client, admin, db):
    seed = seed_of(login(client, admin).body["provisioning_uri"])
    with db.app_context(), unit_of_work() as uow:
        kept_for = uow.session.execute(select(OtpChallenge.expires_at)).scalar_one() - uow.now
        assert timedelta(minutes=4, seconds=50) < kept_for <= timedelta(minutes=5)
        uow.session.execute(update(OtpChallenge).values(expires_at=uow.now - timedelta(seconds=1)))
    client.post("auth/setup-2fa", {"otp_code": code_of(seed)}).expect(401, "session_expired")


def test_five_wrong_codes_close_the_door_for_the_right_one_too(client, admin):
    seed = seed_of(login(client, admin).body["provisioning_uri"])
    for _ in range(5):
        client.post("auth/setup-2fa", {"otp_code": "000000"}).expect(401, "invalid_otp")
    answer = client.post("auth/setup-2fa", {"otp_code": code_of(seed)}).expect(429, "too_many_attempts")
    assert 0 < int(answer.headers["Retry-After"]) <= 300


def test_a_reset_does_not_get_around_the_code(client, admin, newest):
    set_up(client, admin)
    client.delete("auth/logout")
    client.post("auth/password", {"user": {"email": admin.email}})
    token = token_in(newest(admin.email, "new password"))
    body = {"reset_password_token": token, "password": "violet anchor 22", "password_confirmation": "violet anchor 22"}
    client.patch("auth/password", {"user": body}).expect(200)
    answer = client.post("auth/login", {"user": {"email": admin.email, "password": "violet anchor 22"}}).expect(200)
    assert answer.body["status"] == "2fa_required"


def test_confirming_an_admins_address_asks_for_the_code_and_shows_the_user(client, db, newest):
    admin = make_user(db, is_admin=True, is_confirmed=False)
    client.post("auth/confirmation", {"user": {"email": admin.email}})
    token = token_in(newest(admin.email, "Confirm"))
    answer = client.get(f"auth/confirmation?confirmation_token={token}").expect(200)
    assert answer.body["status"] == "2fa_setup_required"
    assert answer.body["user"]["email"] == admin.email
    client.get("internal/me").expect(401)


def test_the_seed_lies_sealed(client, admin, db):
    seed = seed_of(login(client, admin).body["provisioning_uri"])
    with db.app_context():
        sealed = reading().execute(select(User.otp_seed_sealed).where(User.id == admin.id)).scalar_one()
    assert sealed.count(".") == 1
    assert seed not in sealed.encode()


# --- everybody who wants it -------------------------------------------------------------------------------------------


@pytest.fixture
def learner(db):
    return make_user(db)


@pytest.fixture
def protected(db, learner):
    """(client, seed, recovery codes) of a learner who has set an app up."""
    client = signed_in(db, learner)
    answer = client.post("internal/settings/two_factor").expect(200)
    seed = seed_of(answer.body["provisioning_uri"])
    codes = client.post("internal/settings/two_factor/confirm", {"otp_code": code_of(seed, steps_away=-1)}).expect(200)
    return client, seed, codes.body["recovery_codes"]


def token(client, user, code=None):
    return client.post("auth/token", {"email": user.email, "password": PASSWORD, "otp_code": code})


def test_a_learner_sets_an_app_up(protected):
    client, _, codes = protected
    assert len(codes) == len(set(codes)) == 10
    assert client.get("internal/settings/two_factor").expect(200).body["two_factor"] == {
        "enabled": True,
        "compulsory": False,
        "recovery_codes_left": 10,
    }


def test_a_wrong_first_code_enables_nothing(db, learner):
    client = signed_in(db, learner)
    client.post("internal/settings/two_factor").expect(200)
    client.post("internal/settings/two_factor/confirm", {"otp_code": "000000"}).expect(422, "invalid_otp")
    assert client.get("internal/settings/two_factor").body["two_factor"]["enabled"] is False
    token(client, learner).expect(200)


def test_tokens_need_the_code_then(client, learner, protected):
    _, seed, _ = protected
    token(client, learner).expect(401, "invalid_otp")
    token(client, learner, "000000").expect(401, "invalid_otp")
    token(client, learner, code_of(seed)).expect(200)


def test_a_recovery_code_works_once(client, learner, protected, newest):
    signed, _, codes = protected
    token(client, learner, codes[0].upper()).expect(200)
    token(client, learner, codes[0]).expect(401, "recovery_code_used")
    assert signed.get("internal/settings/two_factor").body["two_factor"]["recovery_codes_left"] == 9
    assert newest(learner.email, "recovery code was used")


def test_an_invented_recovery_code_is_refused(client, learner, protected):
    selector = protected[2][0].partition("-")[0]
    token(client, learner, f"{selector}-{'a' * 24}").expect(401, "invalid_otp")


def test_new_recovery_codes_kill_the_old(client, learner, protected):
    signed, _, codes = protected
    renewed = signed.post("internal/settings/two_factor/recovery_codes").expect(200).body["recovery_codes"]
    assert not set(renewed) & set(codes)
    token(client, learner, codes[0]).expect(401, "invalid_otp")
    token(client, learner, renewed[0]).expect(200)


def test_it_is_taken_off_with_a_recent_sign_in(client, learner, protected, db):
    signed, _, _ = protected
    age_sign_in(db, learner, minutes=20)
    signed.delete("internal/settings/two_factor").expect(403, "reauth_required")
    signed.delete("internal/settings/two_factor", json={"sudo_password": PASSWORD}).expect(204)
    token(client, learner).expect(200)


def test_an_admin_cannot_take_it_off(db, admin):
    signed_in(db, admin).delete("internal/settings/two_factor").expect(403, "forbidden")


def test_an_admin_without_an_app_gets_no_token(client, admin):
    answer = token(client, admin).expect(403, "forbidden")
    assert answer.error["reason"] == "2fa_setup_required"


def test_codes_cannot_be_renewed_without_an_app(db, learner):
    signed_in(db, learner).post("internal/settings/two_factor/recovery_codes").expect(403, "forbidden")


def test_an_app_that_is_enabled_is_not_replaced(protected):
    protected[0].post("internal/settings/two_factor").expect(422, "invalid_otp")
