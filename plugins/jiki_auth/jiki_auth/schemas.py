"""Bodies that auth's routes take and give."""

from __future__ import annotations

from jiki_core.http import Schema, fields, root


class CredentialsBody(Schema):
    email = fields.Text(required=True, maximum=320)
    password = fields.Text(required=True, maximum=1024)


class SignInBody(Schema):
    user = root(CredentialsBody)
    cf_turnstile_response = fields.Text(allow_none=True, allow_blank=True, load_default=None)


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
    cf_turnstile_response = fields.Text(allow_none=True, allow_blank=True, load_default=None)


class EmailBody(Schema):
    email = fields.Text(required=True, maximum=320)


class ConfirmationRequestBody(Schema):
    user = root(EmailBody)


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
    status = fields.Choice(("success", "2fa_required", "2fa_setup_required"), required=True)
    user = fields.Nested(UserShape)
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
