"""How often secrets may be guessed: per account, per address and over all (contract.md section 1, "login limits").

Failures count, successes are given back. Accounts are counted by the address typed in, known or not, so that a refusal
tells nothing; a password reset stays possible and frees the account.
"""

from __future__ import annotations

from jiki_auth.settings import auth_settings
from jiki_core.http import Attempt, Limit, client_address, network_of, rate_limiter

SIGN_IN_ACCOUNT = Limit("sign-in-account", 10, 300)
#: a whole class signs in at once from one address; those under way count until they succeed
SIGN_IN_ADDRESS = Limit("sign-in-address", 50, 300)
SIGN_IN_GLOBAL = Limit("sign-in-global", 1_000, 300)
OTP_ACCOUNT = (Limit("otp-5min", 5, 300), Limit("otp-hour", 20, 3_600), Limit("otp-day", 50, 86_400))
OTP_ADDRESS = Limit("otp-address", 30, 300)
SUDO_ACCOUNT = Limit("sudo-account", 5, 300)
RESET_ADDRESS = Limit("reset-address", 20, 3_600)
RESET_GLOBAL = Limit("reset-global", 1_000, 3_600)
RESET_ACCOUNT = Limit("reset-account", 5, 86_400)
RESET_TOKEN_ADDRESS = Limit("reset-token-address", 20, 600)
CONFIRMATION_ACCOUNT = Limit("confirmation-account", 10, 86_400)
CONFIRMATION_ADDRESS = Limit("confirmation-address", 60, 3_600)
EMAIL_CHANGE_ACCOUNT = Limit("email-change-account", 10, 3_600)
SIGN_UP_GLOBAL = Limit("sign-up-global", 3_000, 3_600)


def sign_in_attempt(email: str) -> Attempt:
    """One try of a password. Raises TooManyAttempts, with the right password too."""
    return rate_limiter().attempt(
        (SIGN_IN_ACCOUNT, email), (SIGN_IN_ADDRESS, _address()), (SIGN_IN_GLOBAL, "everybody")
    )


def otp_attempt(user_id: int) -> Attempt:
    """One try of a code. Raises TooManyAttempts."""
    account = tuple((limit, str(user_id)) for limit in OTP_ACCOUNT)
    return rate_limiter().attempt(*account, (OTP_ADDRESS, _address()))


def sudo_attempt(user_id: int) -> Attempt:
    """One try of the own password while signed in. Raises TooManyAttempts."""
    return rate_limiter().attempt((SUDO_ACCOUNT, str(user_id)))


def count_reset_request() -> None:
    """Raises TooManyAttempts for an address that asks too often."""
    rate_limiter().attempt((RESET_ADDRESS, _address()), (RESET_GLOBAL, "everybody"))


def may_mail_reset(email: str) -> bool:
    """Whether an account gets another mail today; told to nobody."""
    return rate_limiter().hit(RESET_ACCOUNT, email)


def reset_token_attempt() -> Attempt:
    """One try of a token from a mail. Raises TooManyAttempts."""
    return rate_limiter().attempt((RESET_TOKEN_ADDRESS, _address()))


def count_confirmation_request() -> None:
    """Raises TooManyAttempts for an address that asks too often."""
    rate_limiter().attempt((CONFIRMATION_ADDRESS, _address()))


def may_mail_confirmation(email: str) -> bool:
    """Whether an address gets another mail today; told to nobody."""
    return rate_limiter().hit(CONFIRMATION_ACCOUNT, email)


def count_email_change(user_id: int) -> None:
    """Raises TooManyAttempts; keeps the answer `taken` from being a look-up of addresses."""
    rate_limiter().attempt((EMAIL_CHANGE_ACCOUNT, str(user_id)))


def count_sign_up() -> None:
    """Raises TooManyAttempts for an address that makes accounts by the dozen."""
    limit = Limit("sign-up-address", auth_settings().sign_ups_per_address_per_hour, 3_600)
    rate_limiter().attempt((limit, _address()), (SIGN_UP_GLOBAL, "everybody"))


def unlock(email: str, user_id: int) -> None:
    """Forgets an account's failures: after a password reset, and by `flask auth unlock`."""
    limiter = rate_limiter()
    limiter.clear(SIGN_IN_ACCOUNT, email)
    limiter.clear(RESET_ACCOUNT, email)
    limiter.clear(SUDO_ACCOUNT, str(user_id))
    for limit in OTP_ACCOUNT:
        limiter.clear(limit, str(user_id))


def _address() -> str:
    return network_of(client_address())
