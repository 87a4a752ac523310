"""Sending: what a mail carries, who gets none, how often it goes out, and what a server's refusal means."""

from __future__ import annotations

import email
import email.policy

import pytest

from jiki_core.db import reading, unit_of_work
from jiki_core.db.outbox import OutboxState
from jiki_core.mail import causes_of, lift, may_receive, send_mail, suppress
from jiki_core.mail.smtp import is_address_at_fault
from jiki_core.testing import ApiClient
from tests.laboratory_fixtures import Laboratory
from tests.mail.servers import Moody, smtp_server

UNSUBSCRIBE = {
    "List-Unsubscribe": "<https://api.test/api/v1/auth/unsubscribe/t?key=newsletters>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}


def send(lab, key="lab.receipt", to="ada@example.test", **options):
    with lab.app.app_context(), unit_of_work() as uow:
        send_mail(uow, key, to=to, context={"name": "Ada", **options.pop("context", {})}, **options)


def outcomes(lab):
    return [row.result for row in lab.sql("select result from core.job_receipts order by finished_at")]


@pytest.fixture
def caught(lab, mail_catcher):
    """`caught()` runs what waits and gives the messages as the server got them, oldest first."""
    mail_catcher.clear()

    def read():
        lab.drain()
        paths = sorted((mail_catcher._maildir / "new").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in paths]

    return read


def test_a_mail_carries_both_parts_its_language_and_its_sender(lab, caught):
    send(lab)
    (message,) = caught()
    assert (message["To"], message["From"], message["Subject"]) == (
        "ada@example.test",
        "Jiki <hello@mail.jiki.io>",
        "Receipt for Ada",
    )
    assert (message["Content-Language"], message["Auto-Submitted"]) == ("en", "auto-generated")
    assert message["Message-ID"].endswith("@mail.jiki.io>")
    assert message.get_body(("plain",)).get_content().startswith("Hello Ada,")
    assert "<table" in message.get_body(("html",)).get_content()
    assert message["List-Unsubscribe"] is None


def test_a_subject_cannot_smuggle_headers_in(lab, caught):
    send(lab, context={"name": "Ada\r\nBcc: eve@example.test"})
    (message,) = caught()
    assert message["Bcc"] is None


def test_the_senders_own_one_click_headers_go_with_mail_that_people_may_refuse(lab, caught):
    send(lab, "lab.news", headers=UNSUBSCRIBE)
    (news,) = caught()
    assert {name: news[name] for name in UNSUBSCRIBE} == UNSUBSCRIBE


@pytest.mark.parametrize("key", ["lab.news", "lab.nudge"])
def test_mail_that_people_may_refuse_has_a_button_even_when_its_sender_has_none(lab, caught, key):
    send(lab, key, to="Ada@example.test")
    (message,) = caught()
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = message["List-Unsubscribe"].strip("<>")
    assert "ada" not in url.lower().partition("mail_suppressions")[2].partition(".")[0]
    path = url.partition("/api/v1/")[2]
    form = {"data": "List-Unsubscribe=One-Click", "content_type": "application/x-www-form-urlencoded"}
    for _ in range(2):
        ApiClient(lab.app).post(path, **form).expect(204)
    with lab.app.app_context():
        assert causes_of(reading(), "ada@example.test") == {"unsubscribe"}
        assert may_receive(reading(), "ada@example.test", "transactional")
        assert not may_receive(reading(), "ada@example.test", "notifications")
    ApiClient(lab.app).post(f"{path[:-8]}AAAAAAA=", **form).expect(404, "not_found")
    ApiClient(lab.app).post("external/mail_suppressions/junk", **form).expect(404, "not_found")


def test_the_button_is_one_line_that_mail_programs_can_read(lab, mail_catcher):
    mail_catcher.clear()
    url = f"<https://api.test/api/v1/auth/unsubscribe/{'t' * 120}?key=newsletters>"
    send(lab, "lab.news", headers={**UNSUBSCRIBE, "List-Unsubscribe": url})
    lab.drain()
    (path,) = (mail_catcher._maildir / "new").iterdir()
    assert f"\nList-Unsubscribe: {url}\n" in path.read_text()


def test_account_mail_has_no_button_and_cannot_be_given_one(lab, caught):
    with pytest.raises(TypeError, match=r"the e-mail 'lab\.receipt' is transactional, which nobody can refuse"):
        send(lab, headers=UNSUBSCRIBE)
    send(lab, headers={"Reply-To": "help@example.test"})
    (message,) = caught()
    assert message["Reply-To"] == "help@example.test"
    assert [name for name in message if name.lower().startswith("list-")] == []


def test_the_button_of_account_mail_that_older_code_asked_for_is_left_out(lab, caught):
    send(lab)
    lab.sql("update core.outbox set payload = jsonb_set(payload, '{headers,List-Unsubscribe}', '\"<x>\"')")
    (message,) = caught()
    assert message["List-Unsubscribe"] is None


def test_a_sender_may_not_set_headers_of_ours(lab):
    with pytest.raises(TypeError, match="may not set From"):
        send(lab, headers={"From": "eve@example.test"})


@pytest.mark.parametrize(
    ("key", "sender"),
    [
        ("lab.receipt", "mail@mail.test"),
        ("lab.nudge", "nudge@notifications.test"),
        ("lab.news", "news@hello.test"),
    ],
)
def test_each_category_has_its_own_sender(lab, lab_folder, make_app, caught, key, sender):
    app = make_app(
        (),
        {
            "JIKI_PLUGINS_ENABLED": "lab",
            "JIKI_MAIL_FROM": "mail@mail.test",
            "JIKI_MAIL_FROM_NOTIFICATIONS": "nudge@notifications.test",
            "JIKI_MAIL_FROM_MARKETING": "news@hello.test",
        },
    )
    other = Laboratory(app, lab_folder)
    send(other, key)
    other.drain()
    (message,) = caught()
    assert message["From"] == sender


def test_asking_again_with_the_same_key_sends_nothing(lab, caught):
    for _ in range(2):
        send(lab, dedupe_key="welcome:7")
    send(lab, dedupe_key="welcome:8")
    send(lab, "lab.nudge", dedupe_key="welcome:7")
    assert len(caught()) == 3
    assert (
        lab.sql("select count(*) from core.mail_dedupe_keys where outbox_id in (select id from core.outbox)")[0][0] == 3
    )


def test_a_template_nobody_declared_and_a_missing_value_are_refused_where_the_mail_is_asked_for(lab):
    with pytest.raises(LookupError, match=r"no plugin declares the e-mail 'lab\.other'"):
        send(lab, "lab.other")
    with (
        lab.app.app_context(),
        unit_of_work() as uow,
        pytest.raises(TypeError, match=r"the e-mail 'lab\.receipt' needs name"),
    ):
        send_mail(uow, "lab.receipt", to="a@example.test", context={})


def test_an_address_that_is_none_is_dead_at_once(lab):
    send(lab, to="nobody at all")
    lab.drain()
    (row,) = lab.sql("select state, failures, reason from core.outbox")
    assert tuple(row) == ("dead", 1, "the recipient of lab.receipt is no e-mail address")


@pytest.mark.parametrize(
    ("cause", "stopped"),
    [
        ("bounce", {"lab.receipt", "lab.nudge", "lab.news"}),
        ("complaint", {"lab.nudge", "lab.news"}),
        ("unsubscribe", {"lab.nudge", "lab.news"}),
    ],
)
def test_a_suppressed_address_gets_what_its_cause_leaves(lab, caught, cause, stopped):
    with lab.app.app_context(), unit_of_work() as uow:
        assert suppress(uow, "Ada@Example.test ", cause, "said so") is True
        assert suppress(uow, "ada@example.test", cause) is False
    for key in ("lab.receipt", "lab.nudge", "lab.news"):
        send(lab, key)
    assert {message["X-Jiki-Template"] for message in caught()} == {"lab.receipt", "lab.nudge", "lab.news"} - stopped
    assert outcomes(lab).count("suppressed") == len(stopped)


def test_a_suppression_can_be_lifted_and_is_told_as_an_event(lab):
    with lab.app.app_context(), unit_of_work() as uow:
        suppress(uow, "ada@example.test", "complaint")
        suppress(uow, "ada@example.test", "bounce")
        assert causes_of(uow.session, "ADA@example.test") == {"complaint", "bounce"}
        assert lift(uow, "ada@example.test", "bounce") == 1
        assert may_receive(uow.session, "ada@example.test", "transactional")
        assert not may_receive(uow.session, "ada@example.test", "marketing")
        assert lift(uow, "ada@example.test") == 1
        assert may_receive(uow.session, "ada@example.test", "marketing")
    events = lab.sql("select payload from core.outbox where name = 'core.address_suppressed' order by seq")
    assert [row.payload["cause"] for row in events] == ["complaint", "bounce"]


@pytest.fixture
def lab_with(lab, lab_folder, make_app):
    """The laboratory, sending to another server."""

    def build(url):
        return Laboratory(
            make_app((), {"JIKI_PLUGINS_ENABLED": "lab", "JIKI_MAIL_SMTP_URL": url}),
            lab_folder,
        )

    return build


def state(lab):
    (row,) = lab.sql("select state, failures, reason from core.outbox where kind = 'job'")
    return tuple(row)


def test_a_mailbox_that_does_not_exist_is_suppressed_and_not_tried_again(lab, lab_with):
    with smtp_server(Moody(to_recipient="550 5.1.1 no such user")) as url:
        there = lab_with(url)
        send(there)
        there.drain()
    assert outcomes(lab) == ["refused"]
    (row,) = lab.sql("select address, cause, detail from core.mail_suppressions")
    assert tuple(row) == ("ada@example.test", "bounce", "550 5.1.1 no such user")


def test_a_refusal_for_our_own_fault_suppresses_nobody_and_is_tried_again(lab, lab_with):
    with smtp_server(Moody(to_recipient="550 5.7.1 relaying denied")) as url:
        there = lab_with(url)
        send(there)
        there.drain()
    assert state(lab) == ("new", 1, "NotAccepted: 550 5.7.1 relaying denied")
    assert lab.sql("select 1 from core.mail_suppressions") == []


@pytest.mark.parametrize(
    ("code", "told", "is_at_fault"),
    [
        (550, "5.1.1 no such user", True),
        (550, "5.1.10 recipient not found", True),
        (550, "5.2.1 mailbox disabled", True),
        (553, "mailbox name not allowed", True),  # without an enhanced code, what RFC 5321 says of the plain one
        (550, "5.7.1 message refused by policy", False),
        (550, "5.7.26 unauthenticated sender", False),
        (553, "5.1.8 sender address rejected", False),
        (553, "5.1.7 sender address malformed", False),
        (552, "5.2.2 mailbox full", False),
        (452, "4.2.2 mailbox full", False),
    ],
)
def test_only_an_address_that_is_none_is_at_fault(code, told, is_at_fault):
    assert is_address_at_fault(code, told) is is_at_fault


def test_a_server_that_cannot_write_the_address_has_certainly_not_taken_the_mail(lab, lab_with):
    handler = Moody()
    with smtp_server(handler, takes_unicode=False) as url:
        there = lab_with(url)
        send(there, "lab.news", to="ada@exämple.test")
        there.drain()
    assert handler.taken == []
    assert state(lab)[:2] == ("new", 1)
    assert state(lab)[2].startswith("NotAccepted: SMTPNotSupportedError")


def test_a_deferral_is_tried_again_later(lab, lab_with):
    with smtp_server(Moody(to_recipient="451 4.7.1 greylisted")) as url:
        there = lab_with(url)
        send(there)
        there.drain()
    assert state(lab) == ("new", 1, "NotAccepted: 451 4.7.1 greylisted")


def test_a_server_that_is_away_is_tried_again_later(lab, lab_with):
    there = lab_with("smtp://127.0.0.1:1")
    send(there, "lab.news")
    there.drain()
    assert state(lab)[:2] == ("new", 1)
    assert lab.sql("select checkpoint from core.outbox")[0].checkpoint == {"is_handed_over": False}


@pytest.mark.parametrize(
    ("key", "copies"),
    [
        ("lab.receipt", 2),  # at least once: better twice than never
        ("lab.nudge", 2),
        ("lab.news", 1),  # at most once: better never than twice
    ],
)
def test_a_lost_acknowledgement_may_double_what_matters_and_never_marketing(lab, lab_with, key, copies):
    handler = Moody(to_message=None)
    with smtp_server(handler) as url:
        there = lab_with(url)
        send(there, key)
        there.drain()
        handler.to_message = "250 kept"
        there.drain(including_later=True)
    assert len(handler.taken) == copies
    assert {email.message_from_bytes(one)["Message-ID"] for one in handler.taken} == {
        email.message_from_bytes(handler.taken[0])["Message-ID"]
    }
    assert state(lab)[0] == OutboxState.DONE
