"""Providers: which plugin answers which contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jiki_core.contracts.contract import Contract


@dataclass(frozen=True)
class Provider:
    """`factory()` makes the object that answers; it is called once per app, when the plugin is bound."""

    contract: type[Contract]
    factory: Callable[[], Any]
    #: gives way to another plugin's provider of the same contract, which then answers alone
    is_default: bool = False


@dataclass(frozen=True)
class BoundProvider:
    plugin: str
    answers: Any


def provider_mistakes(provider: Provider, answers: Any) -> list[str]:
    """Questions of the contract that the object does not answer."""
    missing = [name for name in provider.contract.questions() if not callable(getattr(answers, name, None))]
    return [
        f"the provider of {provider.contract.__name__} has no method {name}: a provider answers every question of its contract"
        for name in missing
    ]
