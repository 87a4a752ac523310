"""What auth tells other plugins. Ids and primitives only; addresses are asked for through `Accounts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jiki_core.events import Event


@dataclass(frozen=True)
class UserSignedUp(Event):
    """A new account, by sign-up, Google or an operator; `provider` is "email", "google" or "operator"."""

    name: ClassVar[str] = "auth.user_signed_up"
    user_id: int
    provider: str


@dataclass(frozen=True)
class UserConfirmed(Event):
    """An account's first address was confirmed; emitted once per account."""

    name: ClassVar[str] = "auth.user_confirmed"
    user_id: int


@dataclass(frozen=True)
class EmailChanged(Event):
    """A new address took effect, or an undo put the old one back."""

    name: ClassVar[str] = "auth.email_changed"
    user_id: int


@dataclass(frozen=True)
class SiteVisited(Event):
    """The first authenticated request of a user on a UTC day; `on` is ISO 8601."""

    name: ClassVar[str] = "auth.site_visited"
    user_id: int
    on: str


@dataclass(frozen=True)
class AccountDeleting(Event):
    """An account is being deleted: its row and all that refers to it go in the same transaction.

    Listeners run afterwards and find nobody: they clean up what is kept by opaque id only.
    """

    name: ClassVar[str] = "auth.account_deleting"
    user_id: int
