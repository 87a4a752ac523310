"""Refusals of commands, as a person at a terminal can read them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import click

from jiki_core.errors import DomainError, ValidationFailed
from jiki_core.runtime import runtime
from jiki_i18n.settings import I18nSettings


@contextmanager
def told_at_the_terminal() -> Iterator[None]:
    """A DomainError ends the command with 1 and one sentence: what was refused, and the facts it carries."""
    try:
        yield
    except ValidationFailed as error:
        faults = "; ".join(f"{name}: {', '.join(one.code for one in found)}" for name, found in error.errors.items())
        raise click.ClickException(faults) from error
    except DomainError as error:
        facts = "; ".join(f"{name}: {_plain(value)}" for name, value in error.extras.items())
        what = error.symbol.replace("_", " ")
        raise click.ClickException(f"{what} ({facts})" if facts else what) from error


def i18n_settings() -> I18nSettings:
    return cast(I18nSettings, runtime().plugin_settings["i18n"])


def _plain(value: object) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)
