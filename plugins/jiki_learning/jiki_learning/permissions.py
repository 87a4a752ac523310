"""Permissions of learning. Everybody who is signed in learns; admins edit."""

from __future__ import annotations

from jiki_core.security import Permission

PERMISSIONS = (
    Permission("learning.learn", "Take lessons and challenges, and see one's own progress", roles=("learner", "admin")),
    Permission("learning.edit_content", "Create and change courses' content", roles=("admin",)),
    Permission("learning.see_analytics", "See how exercises do", roles=("admin",)),
)
