"""Refusals of auth, with the contract's symbols (contract.md 2.3, 2.5 and section 1)."""

from __future__ import annotations

from jiki_core.errors import DomainError, Forbidden, InvalidToken


class InvalidCredentials(DomainError):
    """Unknown address or wrong password; nobody can tell which."""

    symbol = "invalid_credentials"
    status = 401


class Unconfirmed(DomainError):
    """The password is right, the address was never confirmed."""

    symbol = "unconfirmed"
    status = 401
    has_meta = False


class InvalidMailToken(InvalidToken):
    """A link from a mail that is unknown, used up or too old; of a reset, also a password that will not do."""

    status = 422


class TokenExpired(DomainError):
    """A deletion link that was good once."""

    symbol = "token_expired"
    status = 422


class InvalidUnsubscribeToken(DomainError):
    symbol = "invalid_unsubscribe_token"
    status = 404


class RefreshReused(DomainError):
    """A refresh token came again after its successor was used: the whole session is ended (RFC 9700 4.14.2)."""

    symbol = "refresh_reused"
    status = 401


class InvalidCaptcha(DomainError):
    symbol = "invalid_captcha"
    status = 403


class SessionExpired(DomainError):
    """The five minutes between password and code are over, or never began."""

    symbol = "session_expired"
    status = 401


class InvalidOtp(DomainError):
    """A wrong code; `reason` is "out_of_sync" when the device's clock is some minutes off."""

    symbol = "invalid_otp"
    status = 401


class RecoveryCodeUsed(DomainError):
    symbol = "recovery_code_used"
    status = 401


class SecondFactorNotSetUp(Forbidden):
    """Compulsory for this account; it is set up by signing in at the web client once."""


class ReauthRequired(DomainError):
    """The last sign-in is too old for account security; send `sudo_password` or re-authenticate."""

    symbol = "reauth_required"
    status = 403
    is_passing = True


class InvalidPassword(DomainError):
    """A wrong `sudo_password`; never 401, which would sign the web client out."""

    symbol = "invalid_password"
    status = 403


class KeyExpired(DomainError):
    """An API key after its end."""

    symbol = "key_expired"
    status = 401


class InvalidSignature(DomainError):
    """A notice that is not from one of our SNS topics, or a report that the scanner of leaked keys did not sign."""

    symbol = "invalid_signature"
    status = 401


class StripeError(DomainError):
    """The subscription could not be cancelled, so the account stays (contract.md 3.13)."""

    symbol = "stripe_error"
    status = 503


class UserNotFound(DomainError):
    symbol = "user_not_found"
    status = 404


class InvalidAvatar(DomainError):
    """Not one of the four image types, or not decodable within the limits; `reason` says what is wrong."""

    symbol = "invalid_avatar"


class AvatarTooLarge(DomainError):
    """Beyond 5 MB (contract.md 3.18)."""

    symbol = "avatar_too_large"
