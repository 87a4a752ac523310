"""`flask <plugin> …`: a plugin's commands, imported when somebody asks for one of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import click


class PluginCommands(click.Group):
    """A group whose commands come from the plugin's `jiki_commands`."""

    def __init__(self, plugin: str, load: Callable[[], list[click.Command]]) -> None:
        super().__init__(plugin, help=f"Commands of the plugin {plugin}.")
        self._load = load

    @cached_property
    def _by_name(self) -> dict[str, click.Command]:
        return {command.name: command for command in self._load() if command.name}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._by_name)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._by_name.get(cmd_name)
