"""`internal/settings*`: what an account's owner may set (contract.md 2.5). Each answers with all settings."""

from __future__ import annotations

from typing import Any

from jiki_auth.api.v1.reauthentication import require_recent_sign_in
from jiki_auth.commands import change_settings as change
from jiki_auth.commands.change_email import request_email_change
from jiki_auth.commands.reset_password import replace_password
from jiki_auth.errors import InvalidPassword, ReauthRequired
from jiki_auth.passwords import hash_password, password_faults
from jiki_auth.permissions import MANAGE_OWN_ACCOUNT
from jiki_auth.queries.account import is_flagged, settings_shape
from jiki_auth.schemas import (
    FlagReply,
    HandleBody,
    LocaleBody,
    NameBody,
    NewEmailBody,
    NotificationBody,
    PasswordBody,
    SettingsReply,
    StreaksBody,
    TimezoneBody,
)
from jiki_auth.settings import auth_settings
from jiki_auth.throttles import count_email_change
from jiki_core.db import unit_of_work
from jiki_core.errors import FieldError, NotFound, TooManyAttempts, ValidationFailed
from jiki_core.http import Blueprint, Reply, policy, reply
from jiki_core.security import me

blp = Blueprint("settings", __name__, url_prefix="/settings", description="Settings of the signed-in user")


def refused(symbol: str) -> dict[Any, Any]:
    """The setting's own symbol instead of `validation_error`."""
    return {ValidationFailed: (422, symbol)}


@blp.route("")
@policy(MANAGE_OWN_ACCOUNT)
@blp.response(200, SettingsReply)
def show() -> Reply:
    """All settings."""
    return _shown()


@blp.route("/name", methods=["PATCH"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.arguments(NameBody)
@blp.response(200, SettingsReply)
@blp.raises(refused("name_update_failed"))
def name(body: dict[str, Any]) -> Reply:
    """Null or blank removes it."""
    with unit_of_work() as uow:
        change.change_name(uow, me().user_id, body["value"])
    return _shown()


@blp.route("/handle", methods=["PATCH"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.arguments(HandleBody)
@blp.response(200, SettingsReply)
@blp.raises(refused("handle_update_failed"))
def handle(body: dict[str, Any]) -> Reply:
    """3 to 30 of `a-z 0-9 -`, unique."""
    with unit_of_work() as uow:
        change.change_handle(uow, me().user_id, body["value"])
    return _shown()


@blp.route("/email", methods=["PATCH"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.arguments(NewEmailBody)
@blp.response(200, SettingsReply)
@blp.raises(refused("email_update_failed"))
@blp.raises(TooManyAttempts)
def email(body: dict[str, Any]) -> Reply:
    """Parked as `unconfirmed_email` until the new address confirms; the old one is told and can undo it."""
    count_email_change(me().user_id)
    with unit_of_work() as uow:
        request_email_change(uow, me().user_id, body["value"], auth_settings())
    return _shown()


@blp.route("/password", methods=["PATCH"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.arguments(PasswordBody)
@blp.response(200, SettingsReply)
@blp.raises(refused("password_update_failed"))
@blp.raises(ReauthRequired, InvalidPassword, TooManyAttempts)
def password(body: dict[str, Any]) -> Reply:
    """Needs `sudo_password` or a recent sign-in; every other session ends."""
    require_recent_sign_in(body["sudo_password"])
    faults: dict[str, list[FieldError]] = password_faults(
        body["value"], body["password_confirmation"], settings_shape(me().user_id)["email"]
    )
    if faults:
        raise ValidationFailed(faults)
    password_hash = hash_password(body["value"], auth_settings())
    with unit_of_work() as uow:
        replace_password(
            uow, me().user_id, password_hash, spared_session=me().session_id, reason="changed in the settings"
        )
    return _shown()


@blp.route("/locale", methods=["PATCH"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.arguments(LocaleBody)
@blp.response(200, SettingsReply)
@blp.raises(refused("locale_update_failed"))
def locale(body: dict[str, Any]) -> Reply:
    """A known locale; null follows the browser's languages again."""
    with unit_of_work() as uow:
        change.change_locale(uow, me().user_id, body["value"])
    return _shown()


@blp.route("/timezone", methods=["PATCH"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.arguments(TimezoneBody)
@blp.response(200, SettingsReply)
@blp.raises(refused("timezone_update_failed"))
def timezone(body: dict[str, Any]) -> Reply:
    """An IANA name; streaks and daily mails go by it."""
    with unit_of_work() as uow:
        change.change_timezone(uow, me().user_id, body["value"])
    return _shown()


@blp.route("/streaks", methods=["PATCH"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.arguments(StreaksBody)
@blp.response(200, SettingsReply)
@blp.raises(refused("streaks_update_failed"))
def streaks(body: dict[str, Any]) -> Reply:
    """`enabled` is true or false."""
    if not isinstance(body["enabled"], bool):
        raise ValidationFailed({"enabled": [FieldError("boolean_required")]})
    with unit_of_work() as uow:
        change.change_streaks(uow, me().user_id, body["enabled"])
    return _shown()


@blp.route("/notifications/<slug>", methods=["PATCH"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.arguments(NotificationBody)
@blp.response(200, SettingsReply)
@blp.raises(NotFound)
@blp.raises(refused("notification_update_failed"))
def notifications(body: dict[str, Any], slug: str) -> Reply:
    """Turns a kind of mail on or off: newsletters, event_emails, milestone_emails, activity_emails, onboarding_emails."""
    with unit_of_work() as uow:
        change.change_preferences(uow, me().user_id, {slug: body["value"]})
    return _shown()


@blp.route("/flags/<key>")
@policy(MANAGE_OWN_ACCOUNT)
@blp.response(200, FlagReply)
def flag(key: str) -> Reply:
    """Whether the client has raised it."""
    return reply({"flagged": is_flagged(me().user_id, change.CLIENT_PREFIX + key)})


@blp.route("/flags/<key>", methods=["POST"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.response(200, FlagReply)
@blp.raises(refused("flag_invalid"))
def raise_flag(key: str) -> Reply:
    """Raises it; again is the same."""
    with unit_of_work() as uow:
        change.raise_flag(uow, me().user_id, key)
    return reply({"flagged": True})


def _shown() -> Reply:
    return reply({"settings": settings_shape(me().user_id)})
