"""Tables of auth, in the schema `auth`."""

from jiki_auth.models.base import AuthModel
from jiki_auth.models.credential import ApiKey, KnownDevice, OtpChallenge, RecoveryCode, SigningKey
from jiki_auth.models.mail_token import MailPurpose, MailToken
from jiki_auth.models.session import Session, SessionKind
from jiki_auth.models.user import User, UserFlag, UserRole

__all__ = [
    "ApiKey",
    "AuthModel",
    "KnownDevice",
    "MailPurpose",
    "MailToken",
    "OtpChallenge",
    "RecoveryCode",
    "Session",
    "SessionKind",
    "SigningKey",
    "User",
    "UserFlag",
    "UserRole",
]
