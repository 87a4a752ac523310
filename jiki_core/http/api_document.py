"""The OpenAPI 3.1 document at /openapi/v1.json and its page at /openapi/docs, which loads nothing from elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import flask_smorest
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Blueprint, Flask, Response, send_from_directory
from swagger_ui_bundle import swagger_ui_path

from jiki_core.http.error_schemas import ErrorReply
from jiki_core.http.idempotency_document import IdempotencyDocument
from jiki_core.http.mounts import Mount, Mounted
from jiki_core.observability import get_logger
from jiki_core.version import __version__

log = get_logger(__name__)
DESCRIPTION = """\
Every response is JSON. Success: named roots and `meta`. Failure: `{"error": {"type": "<symbol>"}}`; clients switch on
the symbol. Sign in with the `jiki_session` cookie, or with `Authorization: Bearer <access token>`.
"""


class Api(flask_smorest.Api):  # type: ignore[misc]  # flask-smorest ships no types
    """flask-smorest's Api; errors are answered by `jiki_core.http.errors`, this only documents them.

    Routes are described when the document is first asked for: most processes never are, and it is a third of a boot.
    """

    ERROR_SCHEMA = ErrorReply

    def __init__(self, app: Flask, **options: Any) -> None:
        self._lock = threading.RLock()
        # registered and not in the document yet, each with its name in the app
        self._undescribed: list[tuple[flask_smorest.Blueprint, str]] = []
        self._spec: APISpec | None = None
        super().__init__(app, **options)

    @property
    def spec(self) -> APISpec | None:
        """The document so far, with every blueprint that was registered."""
        with self._lock:
            if self._spec is None:
                return None
            undescribed, self._undescribed = self._undescribed, []
            for blueprint, name in undescribed:
                try:
                    blueprint.register_views_in_doc(self, self._app, self._spec, name=name, parameters=None)
                except Exception:  # a schema that cannot be described must not take the document from everybody
                    log.exception("routes_not_described", blueprint=name)
                self._spec.tag({"name": name, "description": blueprint.description})
            return self._spec

    @spec.setter
    def spec(self, made: APISpec | None) -> None:
        self._spec = made

    def register_blueprint(self, blp: flask_smorest.Blueprint, **options: Any) -> None:
        """As flask-smorest's, with the description left for later."""
        name = options.get("name", blp.name)
        self._app.extensions["flask-smorest"]["blp_name_to_api"][name] = self
        self._app.register_blueprint(blp, **options)
        self._undescribed.append((blp, name))

    def _register_error_handlers(self) -> None:
        """Left to `register_error_handlers`, which covers more than HTTPException."""


def make_api(app: Flask) -> Api:
    """The document of the app's v1 routes."""
    app.config.update(
        API_TITLE="Jiki",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/openapi",
        OPENAPI_JSON_PATH="v1.json",
        OPENAPI_SWAGGER_UI_PATH="docs",
        OPENAPI_SWAGGER_UI_URL="/openapi/assets/",
        API_SPEC_OPTIONS={
            "info": {"description": DESCRIPTION, "x-core-version": __version__},
            "components": {
                "securitySchemes": {
                    "cookie": {"type": "apiKey", "in": "cookie", "name": "jiki_session"},
                    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                }
            },
        },
    )
    api = Api(
        app,
        spec_kwargs={
            "marshmallow_plugin": MarshmallowPlugin(schema_name_resolver=_schema_name),
            "extra_plugins": [IdempotencyDocument()],
        },
    )
    assets = Blueprint("openapi_assets", __name__)

    @assets.get("/openapi/assets/<path:name>")
    def asset(name: str) -> Response:
        return send_from_directory(Path(str(swagger_ui_path)), name)

    app.register_blueprint(assets)

    return api


def _schema_name(schema: Any) -> str:
    """`AuthUserShape` for `jiki_auth.schemas.UserShape`: two plugins may use one name."""
    cls = schema if isinstance(schema, type) else type(schema)
    package = cls.__module__.partition(".")[0].removeprefix("jiki_")
    return f"{package.title().replace('_', '')}{cls.__name__.removesuffix('Schema')}"


def mount(api: Api, plugin: str, mounted: Mount) -> Mapping[str, Mounted]:
    """Registers a plugin's blueprint; returns what the guard must know of its endpoints."""
    api.register_blueprint(mounted.blueprint, name=mounted.name_for(plugin), url_prefix=mounted.prefix)
    return dict(mounted.endpoints(plugin))
