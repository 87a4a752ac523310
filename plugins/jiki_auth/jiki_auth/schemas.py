"""Bodies that auth's routes take and give."""

from __future__ import annotations

from typing import ClassVar

from jiki_core.http import Schema, fields, root


class CredentialsBody(Schema):
    email = fields.Text(required=True, maximum=320)
    password = fields.Text(required=True, maximum=1024)


class SignInBody(Schema):
    user = root(CredentialsBody)
    #: read by `captcha_checked`
    cf_turnstile_response = fields.Raw(allow_none=True, load_default=None)


class SignUpUserBody(Schema):
    email = fields.Text(required=True, maximum=320)
    password = fields.Text(required=True, maximum=1024)
    password_confirmation = fields.Text(allow_none=True, load_default=None, maximum=1024)
    name = fields.Text(allow_none=True, allow_blank=True, load_default=None, maximum=100)
    handle = fields.Text(allow_none=True, load_default=None, maximum=100)
    locale = fields.Text(allow_none=True, allow_blank=True, load_default=None, maximum=35)


class SignUpBody(Schema):
    user = root(SignUpUserBody)
    #: free-form: the client may send keys that we do not know (contract.md 6.4)
    attribution = fields.Dict(allow_none=True, load_default=None)
    cf_turnstile_response = fields.Raw(allow_none=True, load_default=None)


class EmailBody(Schema):
    email = fields.Text(required=True, maximum=320)


class ConfirmationRequestBody(Schema):
    user = root(EmailBody)
    cf_turnstile_response = fields.Raw(allow_none=True, load_default=None)


class NewPasswordBody(Schema):
    reset_password_token = fields.Text(required=True, maximum=512)
    password = fields.Text(required=True, maximum=1024)
    password_confirmation = fields.Text(allow_none=True, load_default=None, maximum=1024)


class PasswordResetBody(Schema):
    user = root(NewPasswordBody)


class OtpBody(Schema):
    otp_code = fields.Text(required=True, maximum=64)


class GoogleBody(Schema):
    code = fields.Text(required=True, maximum=2_048)
    attribution = fields.Dict(allow_none=True, load_default=None)
    cf_turnstile_response = fields.Raw(allow_none=True, load_default=None)


class DeletionBody(Schema):
    token = fields.Text(required=True, maximum=2_048)


class NameBody(Schema):
    ignored = frozenset({"sudo_password"})
    reported_as: ClassVar = {"value": "name"}
    value = fields.Text(required=True, allow_none=True, allow_blank=True, maximum=100)


class ValueBody(Schema):
    """A setting's new value; the client may send the password with any of them."""

    ignored = frozenset({"sudo_password"})
    value = fields.Text(required=True, maximum=320)


class HandleBody(ValueBody):
    reported_as: ClassVar = {"value": "handle"}


class NewEmailBody(ValueBody):
    reported_as: ClassVar = {"value": "email"}


class TimezoneBody(ValueBody):
    reported_as: ClassVar = {"value": "timezone"}


class LocaleBody(Schema):
    ignored = frozenset({"sudo_password"})
    reported_as: ClassVar = {"value": "data.explicit_locale"}
    value = fields.Text(required=True, allow_none=True, maximum=35)


class PasswordBody(Schema):
    reported_as: ClassVar = {"value": "password"}
    value = fields.Text(required=True, maximum=1024)
    password_confirmation = fields.Text(allow_none=True, load_default=None, maximum=1024)
    sudo_password = fields.Text(allow_none=True, allow_blank=True, load_default=None, maximum=1024)


class SudoBody(Schema):
    """Account security: `sudo_password` when the last sign-in is not recent."""

    sudo_password = fields.Text(allow_none=True, allow_blank=True, load_default=None, maximum=1024)


class StreaksBody(Schema):
    enabled = fields.Raw(allow_none=True, load_default=None)


class NotificationBody(Schema):
    value = fields.Flag(required=True)


class PreferencesBody(Schema):
    """Any of the five; the client sends back all that it was given (contract.md 6.4)."""

    ignored = frozenset({"email", "meta"})
    newsletters = fields.Flag()
    event_emails = fields.Flag()
    milestone_emails = fields.Flag()
    activity_emails = fields.Flag()
    onboarding_emails = fields.Flag()


class ReauthenticationBody(Schema):
    sudo_password = fields.Text(required=True, maximum=1024)


class ApiKeyBody(Schema):
    name = fields.Text(required=True, maximum=100)
    scopes = fields.List(fields.Text(maximum=100), required=True)
    expires_at = fields.Moment(allow_none=True, load_default=None)
    sudo_password = fields.Text(allow_none=True, allow_blank=True, load_default=None, maximum=1024)


class AdminEmailBody(Schema):
    email = fields.Text(required=True, maximum=320)


class AdminUserBody(Schema):
    user = root(AdminEmailBody)


class ConfirmationQuery(Schema):
    confirmation_token = fields.Text(load_default="", allow_blank=True)


class TokenBody(Schema):
    email = fields.Text(required=True, maximum=320)
    password = fields.Text(required=True, maximum=1024)
    otp_code = fields.Text(allow_none=True, load_default=None, maximum=64)


class RefreshBody(Schema):
    refresh_token = fields.Text(required=True, maximum=512)


class TokenPairReply(Schema):
    access_token = fields.Text(required=True)
    refresh_token = fields.Text(required=True)
    token_type = fields.Text(required=True)
    expires_in = fields.Whole(required=True)
    meta = fields.Dict(required=True)


class SubscriptionShape(Schema):
    interval = fields.Text(required=True)
    in_grace_period = fields.Flag(required=True)
    grace_period_ends_at = fields.Moment(required=True, allow_none=True)
    subscription_valid_until = fields.Moment(required=True, allow_none=True)


class PricesShape(Schema):
    currency = fields.Text(required=True)
    monthly = fields.Whole(required=True)
    annual = fields.Whole(required=True)
    country_code = fields.Text(required=True, allow_none=True)


class UserShape(Schema):
    handle = fields.Text(required=True)
    membership_type = fields.Choice(("standard", "premium"), required=True)
    email = fields.Text(required=True)
    name = fields.Text(required=True, allow_none=True)
    locale = fields.Text(required=True)
    explicit_locale = fields.Text(required=True, allow_none=True)
    locales = fields.List(fields.Text(), required=True)
    avatar_url = fields.Text(required=True, allow_none=True)
    uses_oauth = fields.Flag(required=True)
    email_confirmed = fields.Flag(required=True)
    admin = fields.Flag(required=True)
    subscription_status = fields.Text(required=True)
    subscription = fields.Nested(SubscriptionShape, required=True, allow_none=True)
    premium_prices = fields.Nested(PricesShape, required=True, allow_none=True)


class UserReply(Schema):
    user = fields.Nested(UserShape, required=True)
    meta = fields.Dict(required=True)


class SignedInReply(Schema):
    """With a second factor, `user` is there only when an address was confirmed (contract.md 6.4)."""

    status = fields.Choice(("success", "2fa_required", "2fa_setup_required"), required=True)
    user = fields.Nested(UserShape)
    provisioning_uri = fields.Text()
    meta = fields.Dict(required=True)


class NewAccountShape(Schema):
    email = fields.Text(required=True)
    email_confirmed = fields.Flag(required=True)


class SignedUpReply(Schema):
    user = fields.Nested(NewAccountShape, required=True)
    meta = fields.Dict(required=True)


class EmailShape(Schema):
    email = fields.Text(required=True)


class ConfirmationSentReply(Schema):
    user = fields.Nested(EmailShape, required=True)
    meta = fields.Dict(required=True)


class TypedReply(Schema):
    type = fields.Text(required=True)
    email = fields.Text()
    meta = fields.Dict(required=True)


class EmptyReply(Schema):
    meta = fields.Dict(required=True)


class UnsubscribedReply(Schema):
    unsubscribed = fields.Flag(required=True)
    email = fields.Text(required=True)
    meta = fields.Dict(required=True)


class PreferencesShape(Schema):
    email = fields.Text(required=True)
    newsletters = fields.Flag(required=True)
    event_emails = fields.Flag(required=True)
    milestone_emails = fields.Flag(required=True)
    activity_emails = fields.Flag(required=True)
    onboarding_emails = fields.Flag(required=True)


class PreferencesReply(Schema):
    email_preferences = fields.Nested(PreferencesShape, required=True)
    meta = fields.Dict(required=True)


class SettingsShape(Schema):
    name = fields.Text(required=True, allow_none=True)
    handle = fields.Text(required=True)
    email = fields.Text(required=True)
    unconfirmed_email = fields.Text(required=True, allow_none=True)
    email_confirmed = fields.Flag(required=True)
    locale = fields.Text(required=True)
    receive_newsletters = fields.Flag(required=True)
    receive_event_emails = fields.Flag(required=True)
    receive_milestone_emails = fields.Flag(required=True)
    receive_activity_emails = fields.Flag(required=True)
    receive_onboarding_emails = fields.Flag(required=True)
    streaks_enabled = fields.Flag(required=True)
    timezone = fields.Text(required=True)


class SettingsReply(Schema):
    settings = fields.Nested(SettingsShape, required=True)
    meta = fields.Dict(required=True)


class FlagReply(Schema):
    flagged = fields.Flag(required=True)
    meta = fields.Dict(required=True)


class ProfileShape(Schema):
    """`current_streak` while streaks are enabled, else `total_active_days`."""

    icon = fields.Text(required=True)
    avatar_url = fields.Text(required=True, allow_none=True)
    streaks_enabled = fields.Flag(required=True)
    current_streak = fields.Whole()
    total_active_days = fields.Whole()


class AvatarBody(Schema):
    """A PNG, JPEG, GIF or WebP image of at most 5 MB."""

    avatar = fields.Raw(required=True, metadata={"type": "string", "format": "binary"})


class ProfileReply(Schema):
    profile = fields.Nested(ProfileShape, required=True)
    meta = fields.Dict(required=True)


class SessionShape(Schema):
    id = fields.Text(required=True)
    kind = fields.Choice(("cookie", "token"), required=True)
    device = fields.Text(required=True)
    network = fields.Text(required=True)
    is_current = fields.Flag(required=True)
    created_at = fields.Moment(required=True)
    last_used_at = fields.Moment(required=True)
    expires_at = fields.Moment(required=True)


class SessionsReply(Schema):
    sessions = fields.List(fields.Nested(SessionShape), required=True)
    meta = fields.Dict(required=True)


class ApiKeyShape(Schema):
    """`key` is there once, when the key is made or rotated."""

    id = fields.Text(required=True)
    name = fields.Text()
    scopes = fields.List(fields.Text())
    created_at = fields.Moment()
    expires_at = fields.Moment(allow_none=True)
    last_used_at = fields.Moment(allow_none=True)
    key = fields.Text()


class ApiKeysReply(Schema):
    api_keys = fields.List(fields.Nested(ApiKeyShape), required=True)
    meta = fields.Dict(required=True)


class ApiKeyReply(Schema):
    api_key = fields.Nested(ApiKeyShape, required=True)
    meta = fields.Dict(required=True)


class TwoFactorShape(Schema):
    enabled = fields.Flag(required=True)
    compulsory = fields.Flag(required=True)
    recovery_codes_left = fields.Whole(required=True)


class TwoFactorReply(Schema):
    two_factor = fields.Nested(TwoFactorShape, required=True)
    meta = fields.Dict(required=True)


class TwoFactorSetupReply(Schema):
    provisioning_uri = fields.Text(required=True)
    secret = fields.Text(required=True)
    meta = fields.Dict(required=True)


class RecoveryCodesReply(Schema):
    recovery_codes = fields.List(fields.Text(), required=True)
    meta = fields.Dict(required=True)


class AdminUserShape(Schema):
    id = fields.Whole(required=True)
    name = fields.Text(required=True, allow_none=True)
    email = fields.Text(required=True)
    locale = fields.Text(required=True)
    admin = fields.Flag(required=True)


class AdminUserReply(Schema):
    user = fields.Nested(AdminUserShape, required=True)


class AdminUsersReply(Schema):
    results = fields.List(fields.Nested(AdminUserShape), required=True)
    meta = fields.Dict(required=True)


class RolesReply(Schema):
    roles = fields.List(fields.Text(), required=True)


class AuditEntryShape(Schema):
    id = fields.Whole(required=True)
    at = fields.Moment(required=True)
    action = fields.Text(required=True)
    outcome = fields.Text(required=True)
    actor_id = fields.Whole(required=True, allow_none=True)
    reason = fields.Text(required=True, allow_none=True)
    request_id = fields.Text(required=True, allow_none=True)


class AuditReply(Schema):
    results = fields.List(fields.Nested(AuditEntryShape), required=True)
    meta = fields.Dict(required=True)
