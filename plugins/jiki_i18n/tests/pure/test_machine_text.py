"""What machines see of a message, and the message made of their answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiki_i18n.icu import same_message
from jiki_i18n.locales import ALL_LOCALES
from jiki_i18n.machine_text import MarkersLost, copied, runs_of, with_runs
from jiki_i18n.messages import check_message, parse_message
from jiki_i18n.strategies import messages

PLURAL = "{count, plural, one {# thing} other {# things}}"


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("", []),
        ("Hello", ["Hello"]),
        ("{name}", []),
        ("{a} – {b}", []),
        ("Hello {name}, {day, date, short}", ["Hello <x1/>, <x3/>"]),
        (f"You have {PLURAL}.", ["You have <x1/>.", "<x0/> thing", "<x0/> things"]),
        ("{sex, select, female {her} other {their}} cart", ["<x0/> cart", "her", "their"]),
    ],
)
def test_the_runs_of_a_message(text, runs):
    assert runs_of(text, "hu") == runs


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("ja", "{count, plural, other {# things}}"),
        ("pl", "{count, plural, one {# thing} few {# things} many {# things} other {# things}}"),
    ],
)
def test_a_copy_has_the_plurals_of_its_locale(locale, text):
    assert copied(PLURAL, locale) == text


@given(data=st.data(), locale=st.sampled_from(ALL_LOCALES))
def test_a_copy_has_the_plurals_of_its_locale_whatever_the_message(data, locale):
    text = data.draw(messages("en"))
    source = parse_message(text)
    if check_message(text, "en"):
        return  # not a source that could be stored
    problems = {each.code for each in check_message(copied(text, locale), locale, source=source)}
    # what only an arm says that the locale never uses is lost with it; such a copy is not stored
    assert problems <= {"placeholder_missing"}


@given(text=messages("en"))
def test_runs_given_back_as_they_were_make_the_same_message(text):
    assert same_message(with_runs(text, "en", runs_of(text, "en")), text)


@pytest.mark.parametrize("answer", ["Hello", "<x1/> <x1/>", "<x2/>", "Hello <x1/> <x0/>"])
def test_a_marker_lost_doubled_or_invented_is_refused(answer):
    with pytest.raises(MarkersLost):
        with_runs("Hello {name}", "hu", [answer])


def test_a_marker_may_come_back_with_spaces():
    assert with_runs("Hello {name}", "hu", ["< x1 /> hello"]) == "{name} hello"
