"""The socket door: the Action Cable protocol, and channels for plugins."""

from jiki_core.cable.channel import Action, Channel, action

__all__ = ["Action", "Channel", "action"]
