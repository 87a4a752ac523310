"""Shapes of a user: auth's own members and those of other plugins (contract.md 1b and 2.2)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from jiki_auth.models import User, UserFlag, UserRole
from jiki_auth.permissions import ADMIN
from jiki_auth.unsubscribe_links import PREFERENCES
from jiki_core.contracts import AccountFields, Entitlements, Translator, ask, ask_all
from jiki_core.contracts.core import Shape, merged
from jiki_core.db import reading
from jiki_core.runtime import runtime

#: what holds while payments is absent: everything is granted, so there is nothing to buy
WITHOUT_PAYMENTS: dict[str, Any] = {
    "subscription_status": "never_subscribed",
    "subscription": None,
    "premium_prices": None,
}
#: what holds while payments is listed but does not answer; a standard user must always see a price (contract.md 6.4)
PAYMENTS_FAILING: dict[str, Any] = {
    **WITHOUT_PAYMENTS,
    "premium_prices": {"currency": "usd", "monthly": 999, "annual": 9900, "country_code": None},
}


def user_shape(user_id: int) -> dict[str, Any]:
    """Members of `user`, as `GET internal/me` and sign-in answer them. Raises NoResultFound for an unknown id."""
    user, is_admin = (
        reading()
        .execute(
            select(
                User, select(func.bool_or(UserRole.role == ADMIN)).where(UserRole.user_id == User.id).scalar_subquery()
            )
            .where(User.id == user_id)
            .execution_options(populate_existing=True)
        )
        .one()
    )
    is_premium = ask(Entitlements).check(user_id, "premium")
    shape: dict[str, Any] = {
        "handle": user.handle,
        "membership_type": "premium" if is_premium else "standard",
        "email": user.email,
        "name": user.name,
        "locale": ask(Translator).resolve_locale(user.explicit_locale, user.language_tags),
        "explicit_locale": user.explicit_locale,
        "locales": list(ask(Translator).offered_locales(user.explicit_locale, user.language_tags)),
        "avatar_url": user.avatar_url,
        "uses_oauth": user.google_id is not None,
        "email_confirmed": user.confirmed_at is not None,
        "admin": bool(is_admin),
        **(PAYMENTS_FAILING if runtime().plugins.is_listed("payments") else WITHOUT_PAYMENTS),
    }
    return {**shape, **_of_others("user", user_id)}


def settings_shape(user_id: int) -> dict[str, Any]:
    """Members of `settings`."""
    user = _user(user_id)
    return {
        "name": user.name,
        "handle": user.handle,
        "email": user.email,
        "unconfirmed_email": user.unconfirmed_email,
        "email_confirmed": user.confirmed_at is not None,
        "locale": ask(Translator).resolve_locale(user.explicit_locale, user.language_tags),
        **{column: getattr(user, column) for column in PREFERENCES.values()},
        "streaks_enabled": user.streaks_enabled,
        "timezone": user.timezone,
        **_of_others("settings", user_id),
    }


def profile_shape(user_id: int) -> dict[str, Any]:
    """Members of `profile`: the streak or the total of days, as the user wants; both 0 without learning."""
    user = _user(user_id)
    counted = {"current_streak": 0, "total_active_days": 0, **_of_others("profile", user_id)}
    counted.pop("total_active_days" if user.streaks_enabled else "current_streak")
    return {"icon": "flag", "avatar_url": user.avatar_url, "streaks_enabled": user.streaks_enabled, **counted}


def preferences_shape(user_id: int) -> dict[str, Any] | None:
    """Members of `email_preferences`; None for a user who is gone."""
    user = reading().get(User, user_id, populate_existing=True)
    if user is None:
        return None
    return {"email": user.email, **{slug: getattr(user, column) for slug, column in PREFERENCES.items()}}


def is_flagged(user_id: int, stored_key: str) -> bool:
    """Whether the flag was raised."""
    query = select(UserFlag.key).where(UserFlag.user_id == user_id, UserFlag.key == stored_key)
    return reading().execute(query).one_or_none() is not None


def _user(user_id: int) -> User:
    return (
        reading().execute(select(User).where(User.id == user_id).execution_options(populate_existing=True)).scalar_one()
    )


def _of_others(shape: Shape, user_id: int) -> dict[str, Any]:
    return merged(ask_all(AccountFields, lambda one: one.fields(shape, [user_id])), user_id)
