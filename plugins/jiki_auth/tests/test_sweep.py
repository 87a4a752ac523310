"""What has ended by itself is removed, and nothing else."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from jiki_auth.commands.sweep_expired import sweep_expired
from jiki_auth.models import KnownDevice, MailToken, OtpChallenge, Session
from jiki_auth.settings import auth_settings
from jiki_auth.testing import PASSWORD, make_user, signed_in
from jiki_core.db import unit_of_work


def sweep(app):
    with app.app_context(), unit_of_work() as uow:
        return sweep_expired(uow, auth_settings())


def test_what_is_alive_stays(db, client):
    user = make_user(db, is_admin=True)
    signed = signed_in(db, user)
    client.post("auth/login", {"user": {"email": user.email, "password": PASSWORD}}).expect(200)
    assert sweep(db) == 0
    signed.get("internal/me").expect(200)


def test_what_has_ended_goes(db, client, mails):
    user = make_user(db, is_admin=True, is_confirmed=False)
    signed_in(db, user), signed_in(db, user)
    client.post("auth/password", {"user": {"email": user.email}})
    admin = make_user(db, is_admin=True)
    client.post("auth/login", {"user": {"email": admin.email, "password": PASSWORD}}).expect(200)
    mails()
    with db.app_context(), unit_of_work() as uow:
        past = uow.now - timedelta(days=500)
        uow.session.execute(update(Session).values(last_used_at=past))
        for table in (MailToken, OtpChallenge):
            uow.session.execute(update(table).values(expires_at=past))
        uow.session.execute(update(KnownDevice).values(last_seen_at=past))
    # two sessions, the links to confirm and to reset, a sign-in that waits for its code, one device
    assert sweep(db) == 6
