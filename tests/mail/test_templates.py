"""Templates: one language for the whole mail, markup through MJML, and mistakes that name the template."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from jiki_core.mail import EmailTemplate
from jiki_core.mail.templates import TemplateBroken, bind_templates
from jiki_core.runtime import runtime_of


@pytest.fixture
def receipt(lab):
    return runtime_of(lab.app).emails["lab.receipt"]


CONTEXT = {"name": "Ada", "frontend_url": "http://web.test"}


@pytest.mark.parametrize(
    ("locale", "used", "subject", "has_markup"),
    [
        ("en", "en", "Receipt for Ada", True),
        ("hu", "hu", "Nyugta: Ada", False),  # its text is Hungarian, so English markup would not do
        ("hu-RO", "hu", "Nyugta: Ada", False),
        ("xx", "en", "Receipt for Ada", True),
    ],
)
def test_a_locale_falls_back_for_the_whole_mail(receipt, locale, used, subject, has_markup):
    rendered = receipt.render(locale, CONTEXT)
    assert (rendered.locale, rendered.subject, rendered.html is not None) == (used, subject, has_markup)


@pytest.mark.parametrize(
    ("locale", "used"),
    [
        ("es-419", "es-ES"),  # the same language elsewhere before another language
        ("es", "es-ES"),
        ("pt-BR", "pt"),
        ("hu", "en"),
    ],
)
def test_a_language_is_kept_where_there_is_one(tmp_path, monkeypatch, locale, used):
    texts = {f"{one}_txt": f"In {one}\nText" for one in ("en", "es-ES", "pt", "pt-PT")}
    rendered = made(tmp_path, monkeypatch, **texts).render(locale, {})
    assert (rendered.locale, rendered.subject) == (used, f"In {used}")


@pytest.mark.parametrize(("locale", "count"), [("en", 1), ("en", 2), ("hu", 2), ("es-ES", 1), ("es-ES", 2)])
def test_the_digest_speaks_each_of_its_languages_in_text_and_markup(lab, locale, count):
    bound = runtime_of(lab.app).emails["core.digest"]
    rendered = bound.render(
        locale, {**bound.template.sample_context(), "count": count, "frontend_url": "http://web.test"}
    )
    assert (rendered.locale, rendered.subject[:2]) == (locale, f"{count} ")
    assert "* 2 × A badge was earned" in rendered.text
    assert "2 × A badge was earned" in rendered.html
    assert "http://web.test/dashboard" in rendered.html


def test_mjml_becomes_html_for_mail_programs(receipt):
    html = receipt.render("en", CONTEXT).html
    assert html.startswith("<!doctype html>")
    assert "<table" in html
    assert "<mj-" not in html
    assert 'href="http://web.test/premium"' in html


def test_values_are_escaped_in_markup_and_left_alone_in_text(receipt):
    rendered = receipt.render("en", {**CONTEXT, "name": "<b>&</b>"})
    assert "&lt;b&gt;" in rendered.html
    assert "<b>&</b>" in rendered.text


def test_a_missing_value_is_told(receipt):
    with pytest.raises(UndefinedError, match="name"):
        receipt.render("en", {"frontend_url": "x"})


def made(tmp_path: Path, monkeypatch, **files):
    name_of_package = f"acme_{tmp_path.name}"
    package = tmp_path / name_of_package
    (package / "emails" / "x").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    for name, content in files.items():
        (package / "emails" / "x" / name.replace("_", ".")).write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    (bound,) = bind_templates("broken", name_of_package, (EmailTemplate("broken.x"),))
    return bound


def test_markup_that_is_no_mjml_names_its_template(tmp_path, monkeypatch):
    bound = made(tmp_path, monkeypatch, en_txt="Hi\nyou", en_mjml="<mjml><mj-body>")
    with pytest.raises(TemplateBroken, match=r"x/en.mjml of broken.x"):
        bound.render("en", {})


def test_a_mail_without_an_english_text_names_what_is_missing(tmp_path, monkeypatch):
    bound = made(tmp_path, monkeypatch, de_txt="Hallo\ndu")
    with pytest.raises(TemplateBroken, match=r"the e-mail broken.x has no x/en.txt"):
        bound.render("hu", {})


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        (EmailTemplate("other.x"), "must be named 'lab.<name>'"),
        (EmailTemplate("lab.x", category="spam"), "has the category 'spam'"),
        (EmailTemplate("lab.x", context=("name",), samples={"nmae": 1}), "has samples of nmae"),
    ],
)
def test_a_wrong_declaration_is_told(template, sentence):
    assert any(sentence in mistake for mistake in template.mistakes("lab"))
