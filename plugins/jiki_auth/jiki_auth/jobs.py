"""Jobs of auth."""

from __future__ import annotations

from jiki_core.contracts import AccountSetup, ask
from jiki_core.db import UnitOfWork


class AccountNotPrepared(Exception):
    """A plugin could not set an account up; the job is tried again."""


def prepare_account(uow: UnitOfWork, user_id: int) -> None:
    """Repeats what other plugins could not do at sign-up; each of their parts is idempotent."""
    if not all(ask(AccountSetup).prepare(uow, user_id)):  # type: ignore[arg-type]  # cardinality many: a list of answers
        raise AccountNotPrepared(f"user {user_id}")
