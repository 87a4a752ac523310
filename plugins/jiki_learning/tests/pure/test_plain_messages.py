"""A plain text survives being a message, and i18n reads the message as that one text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiki_i18n.icu import Text, parse
from jiki_learning.plain_messages import as_message, plain_text

TRICKY = st.text(alphabet="ab '{}<>|#\n", max_size=30)


@given(TRICKY | st.text(max_size=40))
def test_a_plain_text_comes_back_from_its_message(plain):
    assert plain_text(as_message(plain)) == plain


@given(TRICKY)
def test_i18n_reads_the_message_as_that_text(plain):
    assert "".join(node.value for node in parse(as_message(plain)) if isinstance(node, Text)) == plain
    assert all(isinstance(node, Text) for node in parse(as_message(plain)))


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ("Well done!", "Well done!"),
        ("You've done it", "You've done it"),
        ("use {name}", "use '{'name'}'"),
        ("'{a}'", "'''{'a'}'''"),
        ("", ""),
    ],
)
def test_what_translators_see(plain, message):
    assert as_message(plain) == message


@pytest.mark.parametrize(
    ("message", "plain"), [("C''est '{'bon'}'", "C'est {bon}"), ("Szia {name}!", "Szia {name}!"), ("'{ open", "{ open")]
)
def test_what_a_translators_message_says(message, plain):
    assert plain_text(message) == plain
