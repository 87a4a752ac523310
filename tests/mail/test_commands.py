"""`flask mail`: previews and the addresses that get none."""

from __future__ import annotations

import json

from jiki_core.cli.mail import cli as mail
from jiki_core.db import unit_of_work
from jiki_core.mail import suppress


def run(lab, *arguments, status=0):
    done = lab.app.test_cli_runner().invoke(mail, arguments)
    assert done.exit_code == status, done.output
    return done.output


def test_list_shows_what_a_mail_needs(lab):
    assert "marketing      lab.news  name" in run(lab, "list")


def test_preview_fills_in_samples(lab):
    told = run(lab, "preview", "lab.receipt")
    assert "Subject: Receipt for [name]" in told
    assert "<table" in run(lab, "preview", "lab.receipt", "--html")


def test_preview_takes_a_locale_and_values(lab):
    told = run(lab, "preview", "lab.receipt", "--locale", "hu", "--set", "name=Ada")
    assert told.startswith("Subject: Nyugta: Ada\nContent-Language: hu\n")


def test_preview_can_be_sent(lab, mail_catcher):
    mail_catcher.clear()
    run(lab, "preview", "lab.receipt", "--to", "me@example.test")
    lab.drain()
    assert [one.to for one in mail_catcher.messages()] == ["me@example.test"]


def test_an_unknown_mail_is_told_with_the_nearest_name(lab):
    assert "there is no mail lab.reciept; did you mean lab.receipt?" in run(lab, "preview", "lab.reciept", status=1)
    assert "is not NAME=VALUE" in run(lab, "preview", "lab.receipt", "--set", "name", status=2)


def test_suppressions_are_listed_and_lifted(lab):
    with lab.app.app_context(), unit_of_work() as uow:
        suppress(uow, "ada@example.test", "bounce", "550 no such user")
    assert run(lab, "suppressions") == "bounce       ada@example.test  550 no such user\n"
    assert json.loads(run(lab, "suppressions", "--json"))["suppressions"][0]["address"] == "ada@example.test"
    run(lab, "lift", "ada@example.test", "--reason", "asked by mail")
    assert "is not suppressed" in run(lab, "lift", "ada@example.test", "--reason", "x", status=1)
    (row,) = lab.sql("select action, reason from core.audit_events")
    assert tuple(row) == ("mail_suppression:lifted", "asked by mail")


def test_preview_shows_what_is_no_text_as_it_will_be(lab):
    told = run(lab, "preview", "core.digest")
    assert told.startswith("Subject: 3 things you have not seen yet\n")
    assert "* 2 × A badge was earned\n* 1 × All of its lessons are done\n" in told
    told = run(
        lab, "preview", "core.digest", "--set", "count=1", "--set", 'lines=["1 × A lesson"]', "--locale", "es-MX"
    )
    assert told.startswith("Subject: 1 novedad que aún no has visto\nContent-Language: es-ES\n")
    assert "* 1 × A lesson\n" in told


def test_preview_names_a_value_that_the_mail_has_not_and_one_of_another_kind(lab):
    told = run(lab, "preview", "lab.receipt", "--set", "nmae=Ada", status=2)
    assert "lab.receipt has no value nmae; did you mean name?" in told
    assert "lines is JSON, such as [" in run(lab, "preview", "core.digest", "--set", "lines=one", status=2)
