"""The cable as an AsyncAPI 3 document, built from the channel classes and served at `/openapi/cable.json`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from jiki_core.cable.parameters import json_schema
from jiki_core.cable.protocol import SUBPROTOCOLS
from jiki_core.cable.registry import ChannelRegistry, Registered

_ASYNCAPI = "3.0.0"
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["type"],
            "properties": {
                "type": {
                    "type": "string",
                    "description": "plugin_paused, rate_limited, unknown_action, validation_error, "
                    "internal_error, or a symbol of the channel's own",
                }
            },
        }
    },
}


def cable_document(registry: ChannelRegistry, *, title: str, version: str, url: str) -> dict[str, Any]:
    """The whole document. `url` is where the socket is, such as wss://api.jiki.io/cable."""
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for registered in registry:
        channels[registered.channel.name] = _channel(registered)
        operations |= _operations(registered)
    return {
        "asyncapi": _ASYNCAPI,
        "info": {
            "title": title,
            "version": version,
            "description": "Sockets speak Action Cable: one connection, subscriptions by identifier. "
            "Identifiers are the JSON of a channel's name and parameters; `perform` sends an action with its "
            "data as a JSON string.",
        },
        "servers": {
            "cable": {
                "host": host,
                "pathname": f"/{path}",
                "protocol": scheme,
                "description": f"Subprotocols: {', '.join(SUBPROTOCOLS)}",
                "security": [{"$ref": "#/components/securitySchemes/token"}],
            }
        },
        "channels": channels,
        "operations": operations,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "httpApiKey",
                    "in": "query",
                    "name": "jid",
                    "description": "A token from POST /api/v1/internal/cable_token, here or as the subprotocol "
                    "anycable-token.<token>; a session cookie from an allowed origin serves too",
                }
            },
            "schemas": {"error": _ERROR},
        },
    }


def _channel(registered: Registered) -> dict[str, Any]:
    channel = registered.channel
    described: dict[str, Any] = {
        "address": channel.name,
        "title": channel.name,
        "description": inspect.getdoc(channel) or "",
        "messages": {
            **{name: {"payload": _message(sent)} for name, sent in channel.sends.items()},
            **{name: {"payload": _performed(name, marked.payload)} for name, marked in channel.actions.items()},
            "error": {"payload": {"$ref": "#/components/schemas/error"}},
        },
        "x-plugin": registered.plugin,
        "x-identifier": _identifier(registered),
        "x-truth": channel.truth,
    }
    if channel.permission is not None:
        described["x-permission"] = channel.permission
    return described


def _operations(registered: Registered) -> dict[str, Any]:
    channel = registered.channel
    here = f"#/channels/{_pointer(channel.name)}"
    found: dict[str, Any] = {
        f"{channel.name}.messages": {
            "action": "send",
            "channel": {"$ref": here},
            "messages": [{"$ref": f"{here}/messages/{name}"} for name in (*channel.sends, "error")],
        }
    }
    for name in channel.actions:
        method = getattr(channel, name)
        found[f"{channel.name}.{name}"] = {
            "action": "receive",
            "summary": (inspect.getdoc(method) or name).splitlines()[0],
            "channel": {"$ref": here},
            "messages": [{"$ref": f"{here}/messages/{name}"}],
        }
    return found


def _identifier(registered: Registered) -> dict[str, Any]:
    schema = json_schema(registered.channel.Params)
    return {
        **schema,
        "properties": {"channel": {"const": registered.channel.name}, **schema["properties"]},
        "required": ["channel", *schema.get("required", ())],
    }


def _message(sent: type[Any]) -> Mapping[str, Any]:
    described = json_schema(sent)
    summary = inspect.getdoc(sent)
    return {**described, "description": summary} if summary else described


def _performed(name: str, payload: type[Any] | None) -> Mapping[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": {}} if payload is None else json_schema(payload)
    return {
        **schema,
        "properties": {"action": {"const": name}, **schema["properties"]},
        "required": ["action", *schema.get("required", ())],
    }


def _pointer(name: str) -> str:
    """A name within a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
