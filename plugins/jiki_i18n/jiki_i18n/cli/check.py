"""`flask i18n check`, for continuous integration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

import click
from flask.cli import with_appcontext

from jiki_i18n.cli.refusals import i18n_settings, told_at_the_terminal
from jiki_i18n.exchange.entries import UNCARRIABLE
from jiki_i18n.locales import ALL_LOCALES, SOURCE_LOCALE, LocaleState
from jiki_i18n.queries.check import CheckedCatalogue, check_all
from jiki_i18n.queries.locales import known_locale, locale_states


@click.command("check")
@click.option("--locale", "locales", multiple=True, help="These only.")
@click.option("--namespace", "namespaces", multiple=True, help="These only.")
@click.option("--minimum", "minimum_percent", type=click.IntRange(0, 100), help="Reviewed share every locale needs.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write JUnit XML here.")
@with_appcontext
def check_command(
    locales: tuple[str, ...], namespaces: tuple[str, ...], minimum_percent: int | None, junit: Path | None
) -> None:
    """Check every message, and that live locales are complete enough.

    Exits with 0 when all is well, with 1 when something was found, with 2 for a wrong command line.
    """
    with told_at_the_terminal():
        chosen = [known_locale(tag) for tag in locales] or list(ALL_LOCALES)
        checked: list[CheckedCatalogue] = []
        for locale in chosen:
            checked += check_all([locale], namespaces, minimum_percent=_gate(locale, minimum_percent))
    for one in checked:
        for finding in one.findings:
            place = ":".join(filter(None, (one.namespace, finding.key)))
            click.echo(f"{one.locale} {place}: {finding.code}: {finding.detail}")
    if junit is not None:
        _write_junit(junit, checked)
    count = sum(len(one.findings) for one in checked)
    click.echo(f"{len(checked)} catalogues checked, {count} problems found")
    if count:
        raise SystemExit(1)


def _gate(locale: str, minimum_percent: int | None) -> int:
    """What was asked for; else live locales must keep what made them live."""
    if minimum_percent is not None:
        return minimum_percent
    is_live = locale_states()[locale] is LocaleState.LIVE and locale != SOURCE_LOCALE
    return i18n_settings().live_completeness_percent if is_live else 0


def _write_junit(path: Path, checked: Sequence[CheckedCatalogue]) -> None:
    """One test suite a locale, one test case a namespace, one failure for all that was found in it."""
    suites = Element("testsuites", name="i18n")
    for locale in dict.fromkeys(one.locale for one in checked):
        cases = [one for one in checked if one.locale == locale]
        failed = sum(1 for one in cases if one.findings)
        suite = SubElement(suites, "testsuite", name=locale, tests=str(len(cases)), failures=str(failed), errors="0")
        for one in cases:
            case = SubElement(suite, "testcase", classname=f"i18n.{locale}", name=one.namespace)
            if one.findings:
                failure = SubElement(case, "failure", message=f"{len(one.findings)} problems", type="i18n")
                lines = (f"{finding.key}: {finding.code}: {finding.detail}" for finding in one.findings)
                failure.text = UNCARRIABLE.sub("\ufffd", "\n".join(lines))
    indent(suites)
    ElementTree(suites).write(path, encoding="utf-8", xml_declaration=True)
