"""The channels of one app by name, checked before anybody subscribes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from jiki_core.cable import parameters
from jiki_core.cable.channel import Channel


@dataclass(frozen=True, slots=True)
class Registered:
    """A channel class and the plugin that brought it ("core" for the core's own)."""

    plugin: str
    channel: type[Channel]


class UnknownChannel(LookupError):
    """An identifier that names no channel of ours."""


#: what `Channel` itself has: an action of such a name would hide it
_TAKEN = frozenset(dir(Channel))


def channel_mistakes(channel: Any) -> list[str]:
    """What is wrong with a channel class, as sentences with their remedies; empty when all is well."""
    if not (isinstance(channel, type) and issubclass(channel, Channel) and channel is not Channel):
        return [f"{channel!r} is not a subclass of jiki_core.cable.Channel"]
    where = f"{channel.__module__}.{channel.__qualname__}"
    found = [f"{where}: {mistake}" for mistake in parameters.mistakes(channel.Params)]
    if not channel.truth:
        found.append(
            f'{where} does not say what restores its truth: set truth = "GET /api/v1/…", the REST read '
            "that a client repeats when messages may be missing"
        )
    if "__init__" in channel.__dict__:
        found.append(f"{where} defines __init__: move what it does to subscribed")
    for name, marked in channel.actions.items():
        if name in _TAKEN:
            found.append(f"{where}: the action {name} hides Channel.{name}; give it another name")
        if marked.payload is not None:
            found += [f"{where}.{name}: {mistake}" for mistake in parameters.mistakes(marked.payload)]
    for sent in channel.sends.values():
        found += [f"{where}.sends: {mistake}" for mistake in parameters.mistakes(sent)]
    return found


class ChannelRegistry:
    """Read-only; made once per app."""

    def __init__(self, registered: Iterable[Registered]) -> None:
        """Raises ValueError with every mistake, each a sentence."""
        self._by_name: dict[str, Registered] = {}
        mistakes: list[str] = []
        for one in registered:
            mistakes += channel_mistakes(one.channel)
            other = self._by_name.setdefault(one.channel.name, one)
            if other is not one:
                mistakes.append(
                    f"the channel name {one.channel.name} is claimed by {other.plugin} and {one.plugin}; "
                    "set another `name` in one of the classes"
                )
        if mistakes:
            raise ValueError("\n".join(mistakes))

    def __iter__(self) -> Any:
        return iter(sorted(self._by_name.values(), key=lambda one: one.channel.name))

    def resolve(self, identifier: str) -> tuple[Registered, Any]:
        """The channel an identifier names, and its parameters.

        Raises UnknownChannel, ValidationFailed.
        """
        try:
            given = orjson.loads(identifier)
        except ValueError as error:
            raise UnknownChannel("the identifier is not JSON") from error
        if not isinstance(given, Mapping) or not isinstance(given.get("channel"), str):
            raise UnknownChannel("the identifier names no channel")
        registered = self._by_name.get(given["channel"])
        if registered is None:
            raise UnknownChannel(f"there is no channel {given['channel'][:80]}")
        rest = {name: value for name, value in given.items() if name != "channel"}
        return registered, parameters.parse(registered.channel.Params, rest)
