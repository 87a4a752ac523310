"""Contracts: a class whose methods are questions, each with its declared `absent` and `failing` answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Cardinality(StrEnum):
    """How many providers a contract may have."""

    #: at most one provider; two fail boot
    ONE = "one"
    #: any number; the answer is a list of theirs
    MANY = "many"


@dataclass(frozen=True)
class Question:
    """What a method of a contract promises when its provider is not listed (`absent`) or does not answer (`failing`).

    Functions are called with the question's arguments, classes (`list`, `dict`) without any. `subject` derives the key under
    which the last good answer is kept for 15 minutes; None keeps nothing.
    """

    absent: Any
    failing: Any
    subject: Callable[..., str] | None = None


class Contract:
    """Base of contracts. Methods decorated with `@question` are what providers implement."""

    cardinality: ClassVar[Cardinality] = Cardinality.ONE
    #: a call's share of `statement_timeout`
    budget_ms: ClassVar[int] = 500

    @classmethod
    def stored_name(cls) -> str:
        """The name under which records of plugins keep the contract."""
        return f"{cls.__module__}.{cls.__qualname__}"

    @classmethod
    def questions(cls) -> dict[str, Question]:
        """Name -> declaration, of every question of the contract."""
        return {
            name: method.__jiki_question__
            for base in reversed(cls.__mro__)
            for name, method in vars(base).items()
            if hasattr(method, "__jiki_question__")
        }


def question(*, absent: Any, failing: Any, subject: Callable[..., str] | None = None) -> Callable[[F], F]:
    """Declares a method of a contract as a question; its body is never run."""

    def mark(method: F) -> F:
        method.__jiki_question__ = Question(absent, failing, subject)  # type: ignore[attr-defined]  # read by questions()
        return method

    return mark
