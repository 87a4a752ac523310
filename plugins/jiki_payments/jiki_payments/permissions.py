"""Permissions of payments. Everybody who is signed in may subscribe; admins see and give."""

from __future__ import annotations

from jiki_core.security import Permission

PERMISSIONS = (
    Permission("payments.subscribe", "Buy premium, and see one's own payments", roles=("learner", "admin")),
    Permission("payments.administer", "See and change entitlements, prices and Stripe notices", roles=("admin",)),
)
