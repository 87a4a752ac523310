"""Roles and permissions of auth. `learner` belongs to everybody; `admin` is assigned by `flask auth` or an admin."""

from __future__ import annotations

from jiki_core.security import Permission, Role

LEARNER = "learner"
ADMIN = "admin"
READ_OWN_ACCOUNT = "auth.read_own_account"
MANAGE_OWN_ACCOUNT = "auth.manage_own_account"
MANAGE_USERS = "auth.manage_users"
#: account security: a key that leaks must not be able to take an account over
NEVER_BY_KEY = frozenset({MANAGE_OWN_ACCOUNT, MANAGE_USERS})

ROLES = (
    Role(LEARNER, "Learns; every account has it", is_default=True),
    Role(ADMIN, "Runs the school"),
)
PERMISSIONS = (
    Permission(READ_OWN_ACCOUNT, "See one's own name, address and profile", roles=(LEARNER, ADMIN)),
    Permission(MANAGE_OWN_ACCOUNT, "Change one's own account and how it is protected", roles=(LEARNER, ADMIN)),
    Permission(MANAGE_USERS, "See, change and delete accounts, give roles, end sessions", roles=(ADMIN,)),
)
