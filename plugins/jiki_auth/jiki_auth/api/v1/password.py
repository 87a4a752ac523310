"""`auth/password`: a forgotten password (contract.md 3.5)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from jiki_auth.addresses import normalise_email
from jiki_auth.captcha import captcha_checked
from jiki_auth.commands.reset_password import reset_password
from jiki_auth.errors import InvalidCaptcha, InvalidMailToken
from jiki_auth.jobs import answer_reset_request
from jiki_auth.models import MailPurpose, MailToken, User
from jiki_auth.passwords import hash_password, password_faults
from jiki_auth.schemas import ConfirmationRequestBody, PasswordResetBody, TypedReply
from jiki_auth.secrets_at_rest import secret_hash
from jiki_auth.settings import auth_settings
from jiki_auth.throttles import count_reset_request, reset_token_attempt
from jiki_core.db import reading, unit_of_work
from jiki_core.errors import FieldError, TooManyAttempts, ValidationFailed
from jiki_core.http import Blueprint, Reply, reply

blp = Blueprint("password", __name__, url_prefix="/password", description="A forgotten password")
#: whatever is wrong, the client reads `invalid_token` and the details in `errors`
RESET_ERRORS: dict[Any, Any] = {ValidationFailed: (422, "invalid_token"), InvalidMailToken: 422}


@blp.route("", methods=["POST"])
@captcha_checked
@blp.arguments(ConfirmationRequestBody)
@blp.response(200, TypedReply)
@blp.raises(InvalidCaptcha, TooManyAttempts)
def request_reset(body: dict[str, Any]) -> Reply:
    """Mails a link, if there is such an account. The answer, and how long it takes, are the same for every address."""
    count_reset_request()
    email = body["user"]["email"]
    with unit_of_work() as uow:
        uow.enqueue(answer_reset_request, email=normalise_email(email))
    return reply({"type": "password_reset_sent", "email": email})


@blp.route("", methods=["PATCH", "PUT"])
@blp.arguments(PasswordResetBody)
@blp.response(200, TypedReply)
@blp.raises(RESET_ERRORS)
@blp.raises(TooManyAttempts)
def reset(body: dict[str, Any]) -> Reply:
    """Sets a new password with the link's token; every session ends and nobody is signed in."""
    wanted = body["user"]
    attempt = reset_token_attempt()
    email = _address_of(wanted["reset_password_token"])
    if email is None:
        raise InvalidMailToken(errors={"reset_password_token": [{"error": "invalid"}]})
    attempt.give_back()
    faults: dict[str, list[FieldError]] = password_faults(wanted["password"], wanted["password_confirmation"], email)
    if faults:
        raise ValidationFailed(faults)
    password_hash = hash_password(wanted["password"], auth_settings())
    with unit_of_work() as uow:
        reset_password(uow, wanted["reset_password_token"], password_hash)
    return reply({"type": "password_reset_success"})


def _address_of(token: str) -> str | None:
    """Whose link it is, before work is spent on a hash."""
    return (
        reading()
        .execute(
            select(User.email)
            .join(MailToken, MailToken.user_id == User.id)
            .where(
                MailToken.token_hash == secret_hash(token),
                MailToken.purpose == MailPurpose.PASSWORD_RESET,
                MailToken.used_at.is_(None),
                MailToken.expires_at > func.now(),
            )
        )
        .scalar_one_or_none()
    )
