"""The plugin `lab`: jobs, events, mails and routes for tests of the core's doors, made in a folder of the test's own."""

from __future__ import annotations

from pathlib import Path

from tests.plugin_factory import PluginFolder

_PLUGIN = """
    @hookimpl
    def jiki_configure(self, app: Any, settings: Any) -> None:
        import os

        if os.environ.get("LAB_HAS_TRAPS"):
            from acme_lab.traps import set_traps

            set_traps()

    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        from acme_lab.routes import admin, blp

        return [Mount(blp, "internal"), Mount(admin, "admin")]

    @hookimpl
    def jiki_jobs(self) -> Sequence[Job]:
        from acme_lab.work import JOBS

        return JOBS

    @hookimpl
    def jiki_listeners(self) -> Sequence[Listener]:
        from acme_lab.work import Counted, Ordered, hear, hear_in_order

        return [Listener(Counted, hear), Listener(Ordered, hear_in_order)]

    @hookimpl
    def jiki_emails(self) -> Sequence[EmailTemplate]:
        return [
            EmailTemplate("lab.receipt", context=("name",)),
            EmailTemplate("lab.news", category="marketing", context=("name",)),
            EmailTemplate("lab.nudge", category="notifications", context=("name",)),
        ]

    @hookimpl
    def jiki_authenticate(self, request: Any) -> Identity | None:
        from jiki_core.security import Identity

        told = request.headers.get("X-Lab-User")
        if told is None:
            return None
        return Identity(int(told), "session", permissions=frozenset({"core.administer"}))

    @hookimpl
    def jiki_authorize(self, identity: Any, permission: str, resource: Any) -> bool | None:
        return True if permission in identity.permissions else None
"""

_WORK = """
from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

import redis as valkey
from jiki_core.db import UnitOfWork, unit_of_work
from jiki_core.events import Event
from jiki_core.jobs import Job, JobRun, PermanentFailure, Retry, Schedule
from jiki_core.mail import send_mail
from jiki_core.runtime import runtime
from sqlalchemy import text

THRICE = Retry(limit=3, first_delay_seconds=600.0, factor=1.0)


@dataclass(frozen=True)
class Counted(Event):
    name: ClassVar[str] = "lab.counted"
    key: str


@dataclass(frozen=True)
class Ordered(Event):
    name: ClassVar[str] = "lab.ordered"
    ordered_by: ClassVar[str] = "line"
    line: str
    number: int


def bump(uow: UnitOfWork, key: str) -> None:
    '''Adds 1 to a counter kept as rows of core.seed_records, so that a second effect would be seen.'''
    uow.session.execute(
        text("insert into core.seed_records (key) values (:key || ':' || gen_random_uuid())"), {"key": key}
    )


def count(uow: UnitOfWork, key: str) -> dict[str, str]:
    bump(uow, key)
    return {"counted": key}


def count_and_mail(uow: UnitOfWork, key: str) -> None:
    bump(uow, key)
    send_mail(uow, "lab.receipt", to=f"{key}@example.test", context={"name": key})


def count_slowly(uow: UnitOfWork, key: str, seconds: float) -> None:
    bump(uow, key)
    runtime().redis.incr(f"lab:started:{key}")
    time.sleep(seconds)


def count_over_traps(uow: UnitOfWork, key: str) -> None:
    from acme_lab.traps import step_on

    bump(uow, key)
    step_on("mid_write")
    uow.after_commit(lambda: step_on("after_commit"))


def fail(uow: UnitOfWork, key: str) -> None:
    bump(uow, key)
    raise ValueError("not today")


def give_up(uow: UnitOfWork) -> None:
    raise PermanentFailure("the file is gone for good")


def misquote(uow: UnitOfWork) -> None:
    '''Its message holds what PostgreSQL cannot keep.'''
    raise ValueError("a" + chr(0) + "b" + chr(0xD800))


def send_an_object(uow: UnitOfWork) -> None:
    '''The driver refuses it before it asks the server.'''
    uow.session.execute(text("select :thing"), {"thing": object()})


def settle_twice(run: JobRun, key: str) -> None:
    for _ in range(2):
        with run.unit_of_work() as uow:
            bump(uow, key)


def sleep_too_long(uow: UnitOfWork, key: str) -> None:
    bump(uow, key)
    time.sleep(30)


def query_too_long(uow: UnitOfWork, key: str) -> None:
    bump(uow, key)
    uow.session.execute(text("select pg_sleep(8)"))


def settle_and_fail(run: JobRun, key: str) -> None:
    with run.unit_of_work() as uow:
        bump(uow, key)
    raise ValueError("after the settling")


def long_way(run: JobRun, key: str) -> None:
    for step in range(3):
        run.progress(step + 1, 3, f"step {step + 1}")
    run.result = {"steps": 3}
    with run.unit_of_work() as uow:
        bump(uow, key)


def resume(run: JobRun, key: str) -> None:
    if not run.checkpoint.get("has_called"):
        run.keep(has_called=True)
        with unit_of_work() as uow:
            bump(uow, key)
        raise ValueError("after the call")
    with run.unit_of_work() as uow:
        bump(uow, f"{key}-settled")


def meet(uow: UnitOfWork, key: str) -> None:
    '''The first time, PostgreSQL says that two transactions met.'''
    bump(uow, key)
    if runtime().redis.incr(f"lab:met:{key}") == 1:
        uow.session.execute(text("do $$ begin raise exception 'met' using errcode = '40001'; end $$"))


def unwritable(uow: UnitOfWork) -> object:
    return {"when": object()}


def every_minute(uow: UnitOfWork) -> None:
    bump(uow, "minute")


def catches_up(uow: UnitOfWork) -> None:
    bump(uow, "hour")


def hear(uow: UnitOfWork, event: Counted) -> None:
    bump(uow, event.key)


def hear_in_order(uow: UnitOfWork, event: Ordered) -> None:
    runtime().redis.rpush(f"lab:line:{event.line}", event.number)
    bump(uow, event.line)


JOBS = [
    Job(count, aliases=("count_formerly",)),
    Job(count_and_mail),
    Job(count_over_traps),
    Job(count_slowly, timeout_seconds=120),
    Job(fail, retry=THRICE),
    Job(give_up),
    Job(sleep_too_long, retry=Retry(limit=1), timeout_seconds=1),
    Job(query_too_long, retry=Retry(limit=1), timeout_seconds=1),
    Job(misquote, retry=THRICE),
    Job(send_an_object, retry=THRICE),
    Job(settle_and_fail, retry=THRICE),
    Job(settle_twice, retry=THRICE),
    Job(long_way),
    Job(resume, retry=THRICE),
    Job(meet, retry=THRICE),
    Job(unwritable, retry=Retry(limit=1)),
    Job(bump, name="bump_once", unique=True),
    Job(every_minute, schedule="* * * * *", queue="heavy"),
    Job(catches_up, schedule=Schedule("0 * * * *", catch_up="all"), queue="heavy"),
]
"""

_ROUTES = """
from __future__ import annotations

from acme_lab import work
from jiki_core.db import reading, record_refusal, unit_of_work
from jiki_core.errors import DomainError, InternalError
from jiki_core.http import Blueprint, Schema, fields, never_cache, no_content, reply
from jiki_core.runtime import runtime
from jiki_core.security import me
from sqlalchemy import text

blp = Blueprint("lab", __name__, url_prefix="/lab")
admin = Blueprint("lab_admin", __name__, url_prefix="/lab")


class Full(DomainError):
    symbol = "lab_full"
    status = 422


class KeyBody(Schema):
    key = fields.Text(required=True)


class AnyReply(Schema):
    class Meta:
        unknown = "include"


def rows(key: str) -> int:
    return reading().execute(
        text("select count(*) from core.seed_records where key like :key || ':%'"), {"key": key}
    ).scalar_one()


@blp.route("/count", methods=["POST"])
@blp.arguments(KeyBody)
@blp.response(201)
def count(body):
    with unit_of_work() as uow:
        work.bump(uow, body["key"])
        job = uow.enqueue(work.count, key=f"{body['key']}-job")
    return reply({"rows": rows(body["key"]), "job": str(job)}, status=201)


@blp.route("/order", methods=["POST"])
@blp.arguments(KeyBody)
@blp.response(201)
def order(body):
    with unit_of_work() as uow:
        work.bump(uow, body["key"])
        uow.enqueue(work.count_and_mail, key=f"{body['key']}-job")
    return reply({}, status=201)


@blp.route("/trap", methods=["POST"])
@blp.arguments(KeyBody)
@blp.response(201)
def trap(body):
    from acme_lab.traps import step_on

    with unit_of_work() as uow:
        work.bump(uow, body["key"])
        uow.enqueue(work.count_over_traps, key=f"{body['key']}-job")
        uow.after_commit(lambda: step_on("before_hand_over"))
    return reply({}, status=201)


@blp.route("/count", methods=["DELETE"])
@blp.response(204)
def forget():
    with unit_of_work() as uow:
        work.bump(uow, "deleted")
    return no_content()


@blp.route("/secret", methods=["POST"])
@blp.response(200)
def secret():
    import secrets

    return never_cache(reply({"secret": secrets.token_hex(8)}))


@blp.route("/refuse", methods=["PATCH"])
@blp.arguments(KeyBody)
@blp.response(200)
@blp.raises(Full)
def refuse(body):
    with unit_of_work() as uow:
        work.bump(uow, body["key"])
        raise Full(key=body["key"], number=runtime().redis.incr("lab:refused"))


@blp.route("/deny", methods=["POST"])
@blp.arguments(KeyBody)
@blp.response(200)
@blp.raises(Full)
def deny(body):
    '''Refuses after a unit, and an audit of the denial, have ended.'''
    with unit_of_work() as uow:
        work.bump(uow, body["key"])
    record_refusal("lab:denied", actor_id=me().user_id)
    raise Full()


@blp.route("/stumble", methods=["POST"])
@blp.arguments(KeyBody)
@blp.response(200)
def stumble(body):
    '''Writes, then fails while the answer is made, the first time.'''
    with unit_of_work() as uow:
        work.bump(uow, body["key"])
    if runtime().redis.incr(f"lab:stumbled:{body['key']}") == 1:
        raise ZeroDivisionError
    return reply({"rows": rows(body["key"])})


@blp.route("/two_units", methods=["POST"])
@blp.arguments(KeyBody)
@blp.response(200)
def two_units(body):
    with unit_of_work() as uow:
        work.bump(uow, f"{body['key']}-prepared")
    from jiki_core.db import refuse_inside_unit

    refuse_inside_unit("a call to the outside")
    if runtime().redis.incr(f"lab:two:{body['key']}") == 1:
        raise ZeroDivisionError
    with unit_of_work() as uow:
        work.bump(uow, f"{body['key']}-settled")
    return reply({})


@blp.route("/slow", methods=["POST"])
@blp.arguments(KeyBody)
@blp.response(200)
def slow(body):
    '''Waits until the test says go.'''
    redis = runtime().redis
    with unit_of_work() as uow:
        work.bump(uow, body["key"])
    redis.rpush("lab:waiting", b"1")
    import time

    deadline = time.monotonic() + 10
    while not redis.exists("lab:go") and time.monotonic() < deadline:
        time.sleep(0.01)
    return reply({})


@blp.route("/met", methods=["POST"])
@blp.arguments(KeyBody)
@blp.response(200)
def met(body):
    '''The first time, PostgreSQL says that two transactions met.'''
    with unit_of_work() as uow:
        work.bump(uow, body["key"])
        if runtime().redis.incr(f"lab:route-met:{body['key']}") == 1:
            uow.session.execute(text("do $$ begin raise exception 'met' using errcode = '40P01'; end $$"))
    return reply({"rows": rows(body["key"])})


@admin.route("/count", methods=["POST"])
@admin.arguments(KeyBody)
@admin.response(200)
def admin_count(body):
    with unit_of_work() as uow:
        work.bump(uow, body["key"])
    return reply({"by": me().user_id})
"""

_TRAPS = """
from __future__ import annotations

import os
import signal

from jiki_core.jobs import dispatch, relay
from jiki_core.runtime import runtime


def step_on(trap: str) -> None:
    '''Ends this process with SIGKILL if the test has laid the trap; a trap works once.'''
    if runtime().redis.getdel(f"lab:trap:{trap}"):
        os.kill(os.getpid(), signal.SIGKILL)


def set_traps() -> None:
    claim, put = dispatch._claim, relay.put

    def claiming(*given):
        step_on("after_pop")
        claimed = claim(*given)
        step_on("after_claim")
        return claimed

    def putting(*given):
        step_on("before_put")
        return put(*given)

    dispatch._claim, relay.put = claiming, putting
"""

_EMAILS = {
    "emails/receipt/en.txt": "Receipt for {{ name }}\nHello {{ name }},\nsee {{ frontend_url }}/premium\n",
    "emails/receipt/en.mjml": (
        '{% extends "core/layout.mjml" %}\n'
        "{% block body %}<mj-text>Hello {{ name }}</mj-text>"
        '<mj-button href="{{ frontend_url }}/premium">Open</mj-button>{% endblock %}\n'
    ),
    "emails/receipt/hu.txt": "Nyugta: {{ name }}\nSzia {{ name }}!\n",
    "emails/news/en.txt": "News for {{ name }}\nThere is news.\n",
    "emails/nudge/en.txt": "Come back, {{ name }}\nThere is more.\n",
    "emails/nudge/en.html": "<p>{{ name }}</p>",
}


def add_lab(folder: Path) -> PluginFolder:
    """The plugin in `folder`, which must be on sys.path (or PYTHONPATH) to be found."""
    made = PluginFolder(folder)
    made.add("lab", _PLUGIN, files={"work.py": _WORK, "routes.py": _ROUTES, "traps.py": _TRAPS, **_EMAILS})
    return made
