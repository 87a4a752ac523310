"""What an operator may set."""

from __future__ import annotations

from dataclasses import dataclass

from jiki_core import Secret, setting


@dataclass(frozen=True)
class FrozenSettings:
    max_characters: int = setting(200, help="Longest note", minimum=1, maximum=1_000, example="200")
    key: Secret = setting(Secret("frozen-key"), help="What services sign with", example="a long random text")
    greeting: str = setting("Hello", help="How thanks begin", choices=("Hello", "Hi"))
    silenced: tuple[str, ...] = setting((), help="Ids of users who may not write")
