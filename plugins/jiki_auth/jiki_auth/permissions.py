"""Roles and permissions of auth. `learner` belongs to everybody; `admin` is assigned by `flask auth` or an admin."""

from __future__ import annotations

from jiki_core.security import Permission, Role

LEARNER = "learner"
ADMIN = "admin"

ROLES = (
    Role(LEARNER, "Learns; every account has it", is_default=True),
    Role(ADMIN, "Runs the school"),
)
PERMISSIONS = (Permission("auth.manage_own_account", "See and change one's own account", roles=(LEARNER, ADMIN)),)
