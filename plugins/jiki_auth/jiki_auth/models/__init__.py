"""Tables of auth, in the schema `auth`."""

from jiki_auth.models.base import AuthModel
from jiki_auth.models.mail_token import MailPurpose, MailToken
from jiki_auth.models.session import Session, SessionKind
from jiki_auth.models.user import User, UserRole

__all__ = ["AuthModel", "MailPurpose", "MailToken", "Session", "SessionKind", "User", "UserRole"]
