"""What the cable needs of this app, filled in: who a handshake is, what may be subscribed, where its streams live."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from flask import Flask, Response
from flask.wrappers import Request

from jiki_core.assembly import Assembly
from jiki_core.cable import (
    CableLimits,
    CableServices,
    CableTokenExpired,
    CableTokenInvalid,
    ChannelRegistry,
    DisconnectReason,
    Refused,
    Registered,
    cable_document,
    mount_cable,
    signed_stream_channel,
    token_of,
    verify_cable_token,
)
from jiki_core.cable.services import Environ
from jiki_core.contracts import SignIns, ask
from jiki_core.db import run_in_unit
from jiki_core.db.commits import is_connection_lost
from jiki_core.errors import DomainError
from jiki_core.http.mounts import Mounted
from jiki_core.http.replies import json_response
from jiki_core.runtime import Runtime
from jiki_core.security import Identity, become, public
from jiki_core.version import __version__


def wire_cable(app: Flask, at: Runtime, assembly: Assembly) -> dict[str, Mounted]:
    """Mounts `/cable` and its AsyncAPI document; returns the guard of the document."""
    signed = signed_stream_channel(at.settings.cable_key)
    registry = ChannelRegistry(
        [
            *(Registered(plugin, channel) for plugin, channel in assembly.channels.values()),
            Registered("core", signed),
        ]
    )
    mount_cable(app, _services(app, at, registry))

    socket_url = f"ws{at.settings.public_url.removeprefix('http').rstrip('/')}/cable"

    def document() -> Response:
        described = cable_document(registry, title="Jiki", version=__version__, url=socket_url)
        return json_response(described, 200)

    app.add_url_rule("/openapi/cable.json", "cable_document", document)
    return {"cable_document": Mounted("core", "core", public)}


def _services(app: Flask, at: Runtime, registry: ChannelRegistry) -> CableServices:
    host = app.extensions["jiki.host"]

    def authenticate(environ: Environ) -> Identity | Refused:
        token = token_of(environ)
        if token is not None:
            return _identity_of_token(at, token)
        try:
            identity = at.authenticate(Request(dict(environ)))
        except DomainError:
            return Refused()
        return identity if identity is not None else Refused()

    @contextmanager
    def app_context(identity: Identity | None) -> Iterator[None]:
        with app.app_context():
            become(identity)
            yield

    def note_outcome(plugin: str, channel: str, error: Exception | None) -> None:
        if error is None:
            at.plugins.note_success(channel)
            return
        with app.app_context():
            at.plugins.note_failure(plugin, "channel", channel, f"{type(error).__name__}: {error}")

    return CableServices(
        channels=registry,
        authenticate=authenticate,
        is_current=_is_current,
        authorize=lambda identity, permission: at.authorize(identity, permission, None),
        app_context=app_context,
        run_in_unit=run_in_unit,
        # also one whose tables are behind its code: its routes do not answer either
        is_paused=lambda plugin: at.plugins.is_paused(plugin) or not host.is_up(plugin),
        redis_url=at.settings.redis_url.reveal(),
        is_outage=is_connection_lost,
        suspension_of=at.plugins.suspension_of,
        note_outcome=note_outcome,
        allowed_origins=at.settings.allowed_origins,
        limits=CableLimits(
            max_connections=at.settings.cable_max_connections,
            # one connection is left for requests of the same process
            max_at_work=max(1, at.settings.database_pool_size - 1),
        ),
    )


def _identity_of_token(at: Runtime, token: str) -> Identity | Refused:
    """A cable token stands for the session that asked for it, and ends with it."""
    try:
        said = verify_cable_token(at.settings.cable_key, token, now=time.time())
    except CableTokenExpired:
        return Refused(DisconnectReason.TOKEN_EXPIRED)
    except CableTokenInvalid:
        return Refused()
    if said.session_id is None:
        return Refused()
    identity: Identity | None = ask(SignIns).identity_of(said.session_id)
    if identity is None or identity.user_id != said.user_id:
        return Refused()
    return Identity(
        user_id=identity.user_id,
        method="cable_token",
        session_id=said.session_id,
        roles=identity.roles,
        permissions=identity.permissions,
        expires_at=datetime.fromtimestamp(said.expires_at, UTC),
    )


def _is_current(identity: Identity) -> bool:
    return identity.session_id is not None and ask(SignIns).identity_of(identity.session_id) is not None
