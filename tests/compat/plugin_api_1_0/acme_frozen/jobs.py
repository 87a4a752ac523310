"""What frozen does later."""

from __future__ import annotations

from sqlalchemy import func, insert, select

from acme_frozen.models import Thanks, Visit
from jiki_core import (
    Account,
    Accounts,
    Entitlements,
    JobRun,
    PermanentFailure,
    Translator,
    UnitOfWork,
    ask,
    reading,
    send_mail,
    uuid7,
)
from jiki_core.runtime import runtime


def thank(uow: UnitOfWork, user_id: int, is_late: bool = False) -> None:
    """Thanks a user on the page and by mail; those who paid are thanked more."""
    found: list[Account] = ask(Accounts).get_many([user_id])
    if not found:
        raise PermanentFailure(f"there is no user {user_id}")
    account = found[0]
    text = ask(Translator).translate("frozen:thanks", account.locale, "Thank you!")
    has_paid = ask(Entitlements).check(user_id, "premium")
    uow.session.execute(insert(Thanks).values(id=uuid7(), user_id=user_id, text=text + ("!" if has_paid else "")))
    uow.notify(user_id, "frozen.thanked", {"is_late": is_late})
    if account.may_receive and not is_late:
        greeting = runtime().plugin_settings["frozen"].greeting
        send_mail(
            uow,
            "frozen.thanks",
            to=account.email,
            context={"greeting": greeting, "handle": account.handle},
            locale=account.locale,
        )


def count_visits(uow: UnitOfWork) -> dict[str, int]:
    """By schedule: how many visits there were."""
    return {"visits": uow.session.execute(select(func.count()).select_from(Visit)).scalar_one()}


def report(run: JobRun, note_id: int) -> None:
    """Prepares, calls outside, settles."""
    run.progress(1, 2, "prepared")
    known = reading().execute(select(func.count()).select_from(Thanks)).scalar_one()
    run.keep(known=known)
    run.result = {"note_id": note_id, "thanks": known}
    with run.unit_of_work() as uow:
        uow.audit("frozen_note:reported", target_type="frozen_note", target_id=note_id, plugin="frozen")
