"""The routes of auth under /api/v1."""

from __future__ import annotations

from collections.abc import Sequence

from jiki_core.http import Mount


def mounts() -> Sequence[Mount]:
    """Each resource and its audience."""
    from jiki_auth.api.v1 import (
        account,
        account_deletion,
        admin_users,
        api_key_leaks,
        api_keys,
        confirmation,
        email_change,
        email_preferences,
        google,
        password,
        profile,
        second_factor,
        ses,
        sessions,
        settings,
        sign_in,
        sign_up,
        tokens,
        two_factor,
        unsubscribe,
    )

    public = (
        sign_up,
        sign_in,
        second_factor,
        confirmation,
        password,
        google,
        tokens,
        account_deletion,
        email_change,
        unsubscribe,
    )
    own = (account, profile, settings, two_factor, sessions, api_keys)
    return [
        *(Mount(module.blp, "auth") for module in public),
        *(Mount(module.blp, "internal") for module in own),
        Mount(email_preferences.blp, "external"),
        Mount(admin_users.blp, "admin"),
        Mount(ses.blp, "webhooks"),
        Mount(api_key_leaks.blp, "webhooks"),
    ]
