"""`internal/settings/two_factor*`: an authenticator app for everybody who wants one."""

from __future__ import annotations

from typing import Any

from jiki_auth.api.v1.reauthentication import require_recent_sign_in
from jiki_auth.commands import second_factor
from jiki_auth.errors import InvalidOtp, InvalidPassword, ReauthRequired
from jiki_auth.permissions import MANAGE_OWN_ACCOUNT
from jiki_auth.queries.two_factor import two_factor_shape
from jiki_auth.schemas import OtpBody, RecoveryCodesReply, SudoBody, TwoFactorReply, TwoFactorSetupReply
from jiki_auth.settings import auth_settings
from jiki_auth.throttles import otp_attempt
from jiki_core.db import record_refusal, unit_of_work
from jiki_core.errors import Forbidden, TooManyAttempts
from jiki_core.http import Blueprint, Reply, never_cache, no_content, policy, reply
from jiki_core.security import me

blp = Blueprint("two_factor", __name__, url_prefix="/settings/two_factor", description="The second factor")


@blp.route("")
@policy(MANAGE_OWN_ACCOUNT)
@blp.response(200, TwoFactorReply)
def show() -> Reply:
    """Whether it is set up, and how many recovery codes are left."""
    return reply({"two_factor": two_factor_shape(me())})


@blp.route("", methods=["POST"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.arguments(SudoBody)
@blp.response(200, TwoFactorSetupReply)
@blp.raises(ReauthRequired, InvalidPassword, TooManyAttempts)
@blp.raises({InvalidOtp: 422})
def begin(body: dict[str, Any]) -> Reply:
    """A seed for an authenticator app; it counts once `confirm` has seen a code of it."""
    require_recent_sign_in(body["sudo_password"])
    with unit_of_work() as uow:
        uri, secret = second_factor.begin_setup(uow, me().user_id, auth_settings())
    return never_cache(reply({"provisioning_uri": uri, "secret": secret}))


@blp.route("/confirm", methods=["POST"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.arguments(OtpBody)
@blp.response(200, RecoveryCodesReply)
@blp.raises(TooManyAttempts)
@blp.raises({InvalidOtp: 422})
def confirm(body: dict[str, Any]) -> Reply:
    """Enables the app with its first code; answers with recovery codes, once."""
    user_id = me().user_id
    attempt = otp_attempt(user_id)
    try:
        with unit_of_work() as uow:
            codes = second_factor.confirm_setup(uow, user_id, body["otp_code"], auth_settings())
    except InvalidOtp:
        record_refusal("second_factor:refused", target_type="user", target_id=user_id, plugin="auth")
        raise
    attempt.give_back()
    return never_cache(reply({"recovery_codes": codes}))


@blp.route("/recovery_codes", methods=["POST"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.arguments(SudoBody)
@blp.response(200, RecoveryCodesReply)
@blp.raises(ReauthRequired, InvalidPassword, TooManyAttempts, Forbidden)
def renew_codes(body: dict[str, Any]) -> Reply:
    """Ten new recovery codes, shown once; the old ones die."""
    require_recent_sign_in(body["sudo_password"])
    if not two_factor_shape(me())["enabled"]:
        raise Forbidden()
    with unit_of_work() as uow:
        codes = second_factor.renew_recovery_codes(uow, me().user_id)
    return never_cache(reply({"recovery_codes": codes}))


@blp.route("", methods=["DELETE"])
@policy(MANAGE_OWN_ACCOUNT)
@blp.arguments(SudoBody)
@blp.response(204)
@blp.raises(ReauthRequired, InvalidPassword, TooManyAttempts, Forbidden)
def disable(body: dict[str, Any]) -> Reply:
    """Takes the app off; not for accounts that must have one."""
    if two_factor_shape(me())["compulsory"]:
        raise Forbidden(reason="2fa_compulsory")
    require_recent_sign_in(body["sudo_password"])
    with unit_of_work() as uow:
        second_factor.disable(uow, me().user_id)
    return no_content()
