"""Keys found in front-end sources, with their places."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiki_i18n.extraction import ComputedUse, Extraction, KeyUse, extract_from_text, extract_keys


def extract(text: str) -> Extraction:
    return extract_from_text(text, file="x.tsx", default_namespace="web")


def found(text: str) -> list[tuple[str, str]]:
    return [(use.namespace, use.key) for use in extract(text).uses]


@pytest.mark.parametrize(("source", "expected"), [
    # calls
    ("t('a.b')",                                        [("web", "a.b")]),
    ('t("a")',                                          [("web", "a")]),
    ("t(`a`)",                                          [("web", "a")]),
    ("t(\n  'a',\n  { count: n }\n)",                   [("web", "a")]),
    ("i18n.t('a') + i18next.t('b') + props.t('c')",     [("web", "a"), ("web", "b"), ("web", "c")]),
    ("this.props.t('a')",                               [("web", "a")]),
    ("<p>{$t('a')}</p>",                                [("web", "a")]),
    ("t<string>('a')",                                  [("web", "a")]),
    ("t(['a', \"b\"])",                                 [("web", "a"), ("web", "b")]),
    ("t(ok ? 'yes' : 'no')",                            [("web", "yes"), ("web", "no")]),
    ("t('ns2:a.b')",                                    [("ns2", "a.b")]),
    ("t('Note: read this')",                            [("web", "Note: read this")]),
    ("t('a', { ns: 'mail' })",                          [("mail", "a")]),
    ("t('a\\'b')",                                      [("web", "a'b")]),
    ("t('a\\\\b')",                                     [("web", "a\\\\b")]),   # a backslash is escaped in keys
    ("t('\\u00e9\\x41\\u{1F389}\\ud83c\\udf89')",       [("web", "éA🎉🎉")]),
    ("f(t('a'), [t('b')])",                             [("web", "a"), ("web", "b")]),
    ("`x ${t('a')} y ${cond ? `${t('b')}` : ''}`",      [("web", "a"), ("web", "b")]),
    # what is no use
    ("at('a'); x.t('b'); import('c'); list.at('d')",    []),
    ("function t('a') {}",                              []),
    ("t()",                                             []),
    ("t('a'",                                           []),
    ("// t('a')",                                       []),
    ("/* t('a') */ t('b') // t('c')",                   [("web", "b")]),
    ("{/* t('a') */}\n{t('b')}",                        [("web", "b")]),
    # hooks of i18next
    ("const { t } = useTranslation('mail'); t('a')",    [("mail", "a")]),
    ("const { t } = useTranslation(['mail', 'web']); t('a')", [("mail", "a")]),
    ("const { t: tr, i18n } = useTranslation('mail'); tr('a'); t('b')", [("mail", "a"), ("web", "b")]),
    ("const [t] = useTranslation('mail'); t('a')",      [("mail", "a")]),
    ("const { t, i18n: { language } } = useTranslation('mail'); t('a')", [("mail", "a")]),
    ("const { t } = useTranslation(); t('a')",          [("web", "a")]),
    ("const { t } = useTranslation('mail', { keyPrefix: 'x.y' }); t('a')", [("mail", "x.y.a")]),
    ("const { t } = useTranslation<'mail'>('mail'); t('a')", [("mail", "a")]),
    ("const t = i18n.getFixedT(lng, 'mail', 'x'); t('a')", [("mail", "x.a")]),
    ("const t: TFunction = i18n.getFixedT(null, 'mail'); t('a')", [("mail", "a")]),
    # hooks of next-intl
    ("const t = useTranslations('Home'); t('a.b')",     [("Home", "a.b")]),
    ("const t = useTranslations('Home.hero'); t('a')",  [("Home", "hero.a")]),
    ("const t = useTranslations(); t('Home.a'); t('b')", [("Home", "a"), ("web", "b")]),
    ("const t = await getTranslations({locale, namespace: 'Home'}); t('a')", [("Home", "a")]),
    ("const t = useTranslations('Home'); t.rich('a', {b: c}); t.has('d')", [("Home", "a"), ("Home", "d")]),
    # blocks
    ("function A() { const {t} = useTranslation('m'); return t('a') } function B() { return t('b') }",
                                                        [("m", "a"), ("web", "b")]),
    ("const {t} = useTranslation('m'); function B() { const {t} = useTranslation('n'); t('b') } t('a')",
                                                        [("n", "b"), ("m", "a")]),
    # elements
    ('<Trans i18nKey="a">Hi <b>you</b></Trans>',        [("web", "a")]),
    ("<Trans\n  ns='mail'\n  i18nKey={'a'} values={{ x: y > 1 }}\n/>", [("mail", "a")]),
    ("<Trans i18nKey={`a`} t={t} />",                   [("web", "a")]),
    ("const {t} = useTranslation('m'); <Trans t={t} i18nKey=\"a\" />", [("m", "a")]),
    ("<Trans components={[<b key=\"x\" />]} i18nKey=\"a\" />", [("web", "a")]),
    ("<Transition i18nKey='a' />",                      []),
    # text of pages
    ("<p>Don't {t('a')} and won't {t('b')}</p>",        [("web", "a"), ("web", "b")]),
    ('<p>"{t("a")}" and https://x.io {t("b")}</p>',     [("web", "a"), ("web", "b")]),
    ("const glob = 'src/**/*.ts'; t('a') /* x */",      [("web", "a")]),
    ("const re = /[/*]'/g; t('a')",                     [("web", "a")]),
])  # fmt: skip
def test_keys_of_a_source(source: str, expected: list[tuple[str, str]]) -> None:
    assert found(source) == expected


@pytest.mark.parametrize(("source", "expression", "prefix"), [
    ("t(key)",                          "key",                      ""),
    ("t(`status.${x}`)",                "`status.${x}`",            "status."),
    ("t('a' + b)",                      "'a' + b",                  ""),
    ("const {t} = useTranslation('web', {keyPrefix: 'p'}); t(`a.${x}`)", "`a.${x}`", "p.a."),
    ("<Trans>Hi</Trans>",               "<Trans> without i18nKey",  ""),
    ("<Trans i18nKey={`a.${x}`} />",    "`a.${x}`",                 "a."),
])  # fmt: skip
def test_computed_keys_are_reported_as_such(source: str, expression: str, prefix: str) -> None:
    assert extract(source).computed == (ComputedUse("x.tsx", 1, "web", expression, prefix),)


@pytest.mark.parametrize(("source", "default"), [
    ("t('a', 'Hello')",                        "Hello"),
    ("t('a', { defaultValue: 'Hello', n })",   "Hello"),
    ('<Trans i18nKey="a" defaults="Hello" />', "Hello"),
    ("t('a', { n })",                          ""),
])  # fmt: skip
def test_default_texts_are_kept_for_new_keys(source: str, default: str) -> None:
    (use,) = extract(source).uses
    assert use.default == default


def test_a_tree_is_read_in_order_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "app" / "node_modules" / "lib").mkdir(parents=True)
    (tmp_path / ".next").mkdir()
    (tmp_path / "app" / "b.tsx").write_text("// t('no')\nconst x = 1\n\nt('b')\n", encoding="utf-8")
    (tmp_path / "app" / "a.vue").write_text("\ufeff<p>{{ $t('a') }}</p>\n", encoding="utf-8")
    (tmp_path / "app" / "notes.md").write_text("t('no')", encoding="utf-8")
    (tmp_path / "app" / "node_modules" / "lib" / "c.js").write_text("t('no')", encoding="utf-8")
    (tmp_path / ".next" / "d.js").write_text("t('no')", encoding="utf-8")
    (tmp_path / "latin1.js").write_bytes(b"t('\xe9')")
    extraction = extract_keys(tmp_path, default_namespace="web")
    assert extraction.uses == (KeyUse("web", "a", "app/a.vue", 1), KeyUse("web", "b", "app/b.tsx", 4))
    ((file, reason),) = extraction.skipped
    assert file == "latin1.js"
    assert "utf-8" in reason


def test_bundles_are_skipped_and_named(tmp_path: Path) -> None:
    (tmp_path / "bundle.js").write_text("t('a');" + " " * 2_000_000, encoding="utf-8")
    assert extract_keys(tmp_path).skipped == (("bundle.js", "larger than 2000000 bytes"),)


def test_one_file_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_text("t('a')", encoding="utf-8")
    assert extract_keys(tmp_path / "a.ts").uses == (KeyUse("translation", "a", "a.ts", 1),)


def test_a_missing_tree_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        extract_keys(tmp_path / "nowhere")


def test_missing_and_unused_keys() -> None:
    extraction = extract("t('a'); t('b'); t(`status.${x}`)")
    known = {"web": ["a", "c", "status.open"], "mail": ["d"]}
    assert [use.key for use in extraction.missing(known)] == ["b"]
    assert extraction.unused(known) == (("mail", "d"), ("web", "c"))


def test_a_wholly_computed_key_makes_every_key_of_its_namespace_possible() -> None:
    assert extract("t(key)").unused({"web": ["a"], "mail": ["d"]}) == (("mail", "d"),)


@settings(deadline=None)
@given(st.lists(st.sampled_from([*"'\"`{}/*\\\na)>", "t(", "${", "//", "<Trans "]), max_size=40))
def test_any_source_is_read_without_an_exception(pieces: list[str]) -> None:
    extract("".join(pieces))
