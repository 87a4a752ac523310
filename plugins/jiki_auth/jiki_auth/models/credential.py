"""Credentials besides the password: API keys, recovery codes, sign-ins that wait for a code, devices seen before."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary, Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from jiki_auth.models.base import AuthModel
from jiki_core.db import Timestamp


class ApiKey(AuthModel):
    __tablename__ = "api_keys"

    #: the public part of the key, 12 letters and digits
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    #: permissions it may use, as far as its owner has them
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    #: SHA-256 of the secret part
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    #: the secret before the last rotation, and until when it still works
    previous_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    previous_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (Index("api_keys_user_id_idx", "user_id"),)


class RecoveryCode(AuthModel):
    """Stands in for the authenticator app, once."""

    __tablename__ = "recovery_codes"

    #: the part by which it is looked up
    selector: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"))
    #: SHA-256 of the other part
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (Index("recovery_codes_user_id_idx", "user_id"),)


class OtpChallenge(AuthModel):
    """A sign-in whose first factor was right and whose code is awaited, for five minutes."""

    __tablename__ = "otp_challenges"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"))
    #: SHA-256 of the cookie's secret
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    #: what the first factor was
    sign_in_method: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[Timestamp]

    __table_args__ = (Index("otp_challenges_user_id_idx", "user_id"),)


class KnownDevice(AuthModel):
    """A browser on a network from which a user signed in before; a new one is told by mail."""

    __tablename__ = "known_devices"

    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"), primary_key=True)
    #: keyed digest of network and user agent
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    last_seen_at: Mapped[Timestamp] = mapped_column(server_default=func.now())


class SigningKey(AuthModel):
    """A key that signs access tokens, made by `flask auth keys rotate`."""

    __tablename__ = "signing_keys"

    #: `kid` in the token's header
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    algorithm: Mapped[str] = mapped_column(Text)
    #: the private key or secret, sealed with AES-GCM
    key_sealed: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.now())
