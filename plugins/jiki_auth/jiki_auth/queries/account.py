"""The User shape: auth's own members and those of other plugins (contract.md 1b and 2.2)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from jiki_auth.models import User, UserRole
from jiki_auth.permissions import ADMIN
from jiki_core.contracts import AccountFields, Entitlements, Translator, ask
from jiki_core.contracts.core import merged
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
    locale = ask(Translator).resolve_locale(user.explicit_locale, user.language_tags)
    is_premium = ask(Entitlements).check(user_id, "premium")
    shape: dict[str, Any] = {
        "handle": user.handle,
        "membership_type": "premium" if is_premium else "standard",
        "email": user.email,
        "name": user.name,
        "locale": locale,
        "explicit_locale": user.explicit_locale,
        "locales": list(ask(Translator).offered_locales(user.explicit_locale, user.language_tags)),
        "avatar_url": None,
        "uses_oauth": False,
        "email_confirmed": user.confirmed_at is not None,
        "admin": bool(is_admin),
        **(PAYMENTS_FAILING if runtime().plugins.is_listed("payments") else WITHOUT_PAYMENTS),
    }
    shape.update(merged(ask(AccountFields).fields("user", [user_id]), user_id))  # type: ignore[arg-type]  # a list of answers
    return shape
