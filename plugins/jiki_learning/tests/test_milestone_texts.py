"""The texts of milestone mails reach the translators, and their translations reach the mails."""

from __future__ import annotations

from sqlalchemy import select

from jiki_core.contracts import TranslatableTexts, Translator, ask
from jiki_core.contracts.binding import BoundProvider
from jiki_core.db import reading, unit_of_work
from jiki_core.runtime import runtime_of
from jiki_learning.commands.translate_level import fetch_translation
from jiki_learning.models import Level, LevelTranslation
from jiki_learning.testing import course, import_into, level

SUBJECT, TEXT = "You've done {it}", "**Well done**, '{name}'"


def with_mail(db) -> None:
    mail = {"milestone_email_subject": SUBJECT, "milestone_email_content_markdown": TEXT}
    import_into(db, course(level("basics", "a", **mail), level("silent", "b")))


def test_translators_get_the_texts_as_messages(db):
    with_mail(db)
    with db.app_context():
        (found,) = [one for one in ask(TranslatableTexts).texts() if "learning" in one]
    assert found == {
        "learning": {
            "levels.basics.milestone_email_subject": "You've done '{'it'}'",
            "levels.basics.milestone_email_content_markdown": "**Well done**, '''{'name'}'''",
        }
    }


def test_i18n_takes_the_texts_in(db):
    with_mail(db)
    for told in ("2 added", "2 unchanged"):
        done = db.test_cli_runner().invoke(args=["i18n", "sync"])
        assert done.exit_code == 0, done.output
        assert any("learning" in line and told in line for line in done.output.splitlines()), done.output


def test_a_translation_arrives_as_plain_text(db, monkeypatch):
    with_mail(db)

    class Hungarian:
        def translate_many(self, defaults, locale):
            return {key: "Kész '{'van'}'" if "subject" in key else text for key, text in defaults.items()}

    providers = runtime_of(db).providers
    monkeypatch.setitem(providers, Translator, (BoundProvider("core", Hungarian()),))
    with db.app_context():
        basics = reading().scalars(select(Level.id).where(Level.slug == "basics")).one()
        with unit_of_work() as uow:
            assert fetch_translation(uow, basics, "hu")
        kept = reading().execute(
            select(LevelTranslation.milestone_email_subject, LevelTranslation.milestone_email_content_markdown)
        )
        assert kept.all() == [("Kész {van}", TEXT)]
