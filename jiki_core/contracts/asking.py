"""Asking a contract: absent, failing and last good answers, a savepoint and a time budget around each call.

*Absent* means that no provider is listed in the configuration. A listed provider that is paused, could not be loaded,
raises or is too slow is *failing*: its last good answer holds for 15 minutes, after that the declared failing answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import orjson
from sqlalchemy import text

from jiki_core.cache import recall, remember
from jiki_core.contracts.binding import BoundProvider
from jiki_core.contracts.contract import Cardinality, Contract, Question
from jiki_core.db.unit_of_work import current_unit
from jiki_core.observability import counter, get_logger, histogram
from jiki_core.observability.costs import charged
from jiki_core.runtime import runtime

C = TypeVar("C", bound=Contract)
T = TypeVar("T")
log = get_logger(__name__)

LAST_GOOD_ANSWER_TTL_SECONDS = 900

_seconds = histogram("jiki_contract_duration_seconds", "Time a contract's provider took", ["contract", "question"])
_failures = counter("jiki_contract_failures_total", "Contract calls that fell back", ["contract", "question", "plugin"])


def ask(contract: type[C]) -> C:
    """An object with the contract's methods; each call goes to the provider, or falls back as the contract declares.

    Of a contract of cardinality many it gives a list, which its type cannot say: `ask_all` does.
    """
    return cast(C, _Asker(contract))


def ask_all(contract: type[C], question: Callable[[C], T]) -> list[T]:
    """What each provider of a contract of cardinality many answers: `ask_all(AccountFields, lambda one: one.fields(…))`.

    Providers in dependency order; a failing one gives the declared failing answer, None is left out.
    Raises TypeError for a contract of cardinality one, which has one answer: `ask` it.
    """
    if contract.cardinality is not Cardinality.MANY:
        raise TypeError(f"{contract.__name__} has one answer; use ask({contract.__name__})")
    return cast(list[T], question(ask(contract)))


class _Asker:
    __slots__ = ("_contract",)

    def __init__(self, contract: type[Contract]) -> None:
        self._contract = contract

    def __getattr__(self, name: str) -> Callable[..., Any]:
        declared = self._contract.questions().get(name)
        if declared is None:
            raise AttributeError(f"{self._contract.__name__} has no question {name!r}")

        def call(*args: Any, **kwargs: Any) -> Any:
            return _answer(self._contract, name, declared, args, kwargs)

        return call


def _answer(contract: type[Contract], name: str, declared: Question, args: Any, kwargs: Any) -> Any:
    bound = runtime().providers.get(contract, ())
    if contract.cardinality is Cardinality.MANY:
        answers = [_call(contract, name, declared, provider, args, kwargs) for provider in bound]
        if runtime().plugins.is_provider_missing(contract.stored_name()):
            answers.append(_failing(contract, name, declared, "(not loaded)", args, kwargs))
        return [answer for answer in answers if answer is not None]
    if not bound:
        if runtime().plugins.is_provider_missing(contract.stored_name()):
            return _failing(contract, name, declared, "(not loaded)", args, kwargs)
        return _fallback(declared.absent, args, kwargs)
    return _call(contract, name, declared, bound[0], args, kwargs)  # one that replaces a default is bound before it


def _call(
    contract: type[Contract], name: str, declared: Question, provider: BoundProvider, args: Any, kwargs: Any
) -> Any:
    if runtime().plugins.is_running(provider.plugin):
        started = time.perf_counter()
        try:
            with charged(provider.plugin, contract.__name__), _savepoint(contract.budget_ms):
                answer = getattr(provider.answers, name)(*args, **kwargs)
        except Exception:
            log.exception("contract_failed", contract=contract.__name__, question=name, plugin=provider.plugin)
        else:
            _seconds.labels(contract.__name__, name).observe(time.perf_counter() - started)
            key = _kept_under(contract, name, declared, args, kwargs)
            if key is not None:
                remember(key, orjson.dumps(answer), LAST_GOOD_ANSWER_TTL_SECONDS)
            return answer
    return _failing(contract, name, declared, provider.plugin, args, kwargs)


def _failing(contract: type[Contract], name: str, declared: Question, plugin: str, args: Any, kwargs: Any) -> Any:
    """The last good answer, else the one declared for failure."""
    _failures.labels(contract.__name__, name, plugin).inc()
    key = _kept_under(contract, name, declared, args, kwargs)
    if key is not None and (kept := recall(key)) is not None:
        return orjson.loads(kept)
    return _fallback(declared.failing, args, kwargs)


def _kept_under(contract: type[Contract], name: str, declared: Question, args: Any, kwargs: Any) -> str | None:
    return f"contract:{contract.__name__}:{name}:{declared.subject(*args, **kwargs)}" if declared.subject else None


def _fallback(declared: Any, args: Any, kwargs: Any) -> Any:
    if isinstance(declared, type):
        return declared()  # `absent=list` means an empty one: called with what was asked, it would give that back
    return declared(*args, **kwargs) if callable(declared) else declared


@contextmanager
def _savepoint(budget_ms: int) -> Iterator[None]:
    """Inside a unit, a provider's failed statement must not abort the caller's transaction."""
    unit = current_unit()
    if unit is None:
        yield
        return
    with unit.session.begin_nested():
        before = unit.session.execute(text("select current_setting('statement_timeout')")).scalar_one()
        unit.session.execute(
            text("select set_config('statement_timeout', :budget, true)"), {"budget": f"{budget_ms}ms"}
        )
        yield
        unit.session.execute(text("select set_config('statement_timeout', :before, true)"), {"before": before})
