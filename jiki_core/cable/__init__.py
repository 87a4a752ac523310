"""The sockets' door: Action Cable and its extended form on `/cable`, and `Channel` for plugins
(architecture.md section 3)."""

from jiki_core.cable.anycable import disconnector, publisher
from jiki_core.cable.broadcast import publish, user_stream
from jiki_core.cable.channel import Channel, action
from jiki_core.cable.control import disconnect_user
from jiki_core.cable.documentation import cable_document
from jiki_core.cable.endpoint import cable_of, mount_cable
from jiki_core.cable.notifications import NotificationsChannel
from jiki_core.cable.protocol import DisconnectReason
from jiki_core.cable.pubsub import signed_stream_channel
from jiki_core.cable.rates import Rate
from jiki_core.cable.registry import ChannelRegistry, Registered, channel_mistakes
from jiki_core.cable.server import CableServer
from jiki_core.cable.services import CableLimits, CableServices, Refused
from jiki_core.cable.tokens import (
    CableTokenExpired,
    CableTokenInvalid,
    issue_cable_token,
    sign_stream,
    token_of,
    verify_cable_token,
)

__all__ = [
    "CableLimits",
    "CableServer",
    "CableServices",
    "CableTokenExpired",
    "CableTokenInvalid",
    "Channel",
    "ChannelRegistry",
    "DisconnectReason",
    "NotificationsChannel",
    "Rate",
    "Refused",
    "Registered",
    "action",
    "cable_document",
    "cable_of",
    "channel_mistakes",
    "disconnect_user",
    "disconnector",
    "issue_cable_token",
    "mount_cable",
    "publish",
    "publisher",
    "sign_stream",
    "signed_stream_channel",
    "token_of",
    "user_stream",
    "verify_cable_token",
]
