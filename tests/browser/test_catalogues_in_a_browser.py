"""A headless Chromium loads published catalogues through i18next and gets the plurals that CLDR has for the locale."""

from __future__ import annotations

import json

import pytest

from tests.system.conftest import running_stack

SCRIPTS = {"/i18next.js": "i18next/dist/umd/i18next.js", "/icu.js": "i18next-icu/i18nextICU.js"}
#: in namespace and locale: the plural forms of "apple" by CLDR category
FORMS = {
    "en": {"one": "# apple", "other": "# apples"},
    "ar": {
        "zero": "لا تفاح",
        "one": "تفاحة واحدة",
        "two": "تفاحتان",
        "few": "# تفاحات",
        "many": "# تفاحةً",
        "other": "# تفاحة",
    },
    "pl": {"one": "# jabłko", "few": "# jabłka", "many": "# jabłek", "other": "# jabłka dziesiętnie"},
    "ja": {"other": "りんご#個"},
}
#: number → category, from CLDR's tables of plural rules (unicode.org, "Language Plural Rules")
CATEGORIES = {
    "en": {0: "other", 1: "one", 2: "other"},
    "ar": {0: "zero", 1: "one", 2: "two", 3: "few", 10: "few", 11: "many", 99: "many", 100: "other", 103: "few"},
    "pl": {0: "many", 1: "one", 2: "few", 5: "many", 12: "many", 22: "few", 25: "many", 1.5: "other"},
    "ja": {0: "other", 1: "other", 5: "other"},
}


def message(locale: str) -> str:
    arms = " ".join(f"{category} {{{text}}}" for category, text in FORMS[locale].items())
    return f"{{count, plural, {arms}}}"


@pytest.mark.browser
@pytest.mark.timeout(240)
def test_published_plurals_are_those_of_cldr_in_both_layouts(serve_pages, run_script, tmp_path):
    page = serve_pages(SCRIPTS)
    with running_stack(tmp_path / "stack", "together", JIKI_CORS_ORIGINS=page, JIKI_FRONTEND_URL=page) as stack:
        for namespace, layout in (("shop", "nested"), ("market", "i18next")):
            stack.flask("i18n", "namespace", namespace, "--layout", layout)
            for locale in FORMS:
                file = tmp_path / f"{namespace}.{locale}.json"
                file.write_text(json.dumps({"basket": {"apples": message(locale)}}), encoding="utf-8")
                options = ("--locale", locale, "--namespace", namespace, "--format", "json")
                stack.flask("i18n", "import", *options, str(file))
        for locale in FORMS.keys() - {"en"}:  # which is always live
            stack.flask("i18n", "promote", locale, "live", "--force")
        assert "publi" in stack.flask("i18n", "publish", "--unreviewed")  # by the stack's worker
        wanted = tmp_path / "wanted.json"
        wanted.write_text(
            json.dumps(
                [
                    {"locale": locale, "count": count, "text": FORMS[locale][category]}
                    for locale, counts in CATEGORIES.items()
                    for count, category in counts.items()
                ]
            ),
            encoding="utf-8",
        )
        told = run_script("catalogues.mjs", f"{page}/", stack.origin, str(wanted))
    assert f"{2 * sum(map(len, CATEGORIES.values()))} texts as CLDR says" in told
