"""What payments adds to User (contract.md 2.2)."""

from __future__ import annotations

from jiki_auth.testing import make_user, signed_in
from jiki_payments.testing import make_premium, make_standard


def me(client):
    return client.get("internal/me").expect(200).body["user"]


def test_a_new_user_never_subscribed_and_sees_a_price(db):
    user = me(signed_in(db))
    assert user["membership_type"] == "standard"
    assert user["subscription_status"] == "never_subscribed"
    assert user["subscription"] is None
    assert user["premium_prices"] == {"currency": "usd", "monthly": 999, "annual": 9900, "country_code": None}


def test_the_stored_country_decides_the_price(db, client, mails):
    body = {"user": {"email": "asha@example.test", "password": "maple sundial 41"}}
    client.post("auth/signup", body, headers={"CF-IPCountry": "IN"}).expect(201)
    token = mails()[0].links[0].partition("token=")[2]
    user = client.get(f"auth/confirmation?confirmation_token={token}").expect(200).body["user"]
    assert user["premium_prices"]["currency"] == "inr"
    assert user["premium_prices"]["country_code"] == "IN"


def test_membership_is_computed_from_entitlements(db):
    user = make_user(db)
    client = signed_in(db, user)
    make_premium(db, user.id)
    assert me(client)["membership_type"] == "premium"
    make_standard(db, user.id)
    assert me(client)["membership_type"] == "standard"
