"""What the cable counts. Label values are enums, channel names and plugin names, never anything a client
sent."""

from __future__ import annotations

from jiki_core.observability import counter, gauge, histogram

CONNECTIONS = gauge("jiki_cable_connections", "Open sockets", ["dialect"])
SUBSCRIPTIONS = gauge("jiki_cable_subscriptions", "Confirmed subscriptions", ["plugin"])
REFUSED = counter("jiki_cable_refused_total", "Handshakes refused", ["reason"])
DISCONNECTED = counter("jiki_cable_disconnected_total", "Sockets ended by us", ["reason"])
COMMANDS = counter("jiki_cable_commands_total", "Commands received", ["command", "outcome"])
COMMAND_SECONDS = histogram("jiki_cable_command_duration_seconds", "Time in a channel's code", ["plugin", "channel"])
FAILURES = counter("jiki_cable_channel_failures_total", "Channel code that raised", ["plugin", "channel"])
DELIVERIES = counter("jiki_cable_deliveries_total", "Frames sent because of a broadcast", ["kind"])
RESTORES = counter("jiki_cable_restores_total", "Sessions that came back", ["outcome"])
HISTORIES = counter("jiki_cable_histories_total", "Histories asked for, or told to be incomplete", ["outcome"])
HUB_LOSSES = counter("jiki_cable_hub_losses_total", "Times the subscriber's connection was lost")
