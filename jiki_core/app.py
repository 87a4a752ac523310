"""`create_app`: the assembly line, read from top to bottom. The only file that sees everything."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn, cast

import click
from flask import Flask
from flask_cors import CORS

from jiki_core.api.files import mount_files
from jiki_core.assembly import Assembly, bind_all
from jiki_core.boot import collector_at_rest
from jiki_core.cable import disconnector, publisher
from jiki_core.cable_wiring import wire_cable
from jiki_core.cache import connect
from jiki_core.command_groups import PluginCommands
from jiki_core.configuration import (
    Configuration,
    CoreSettings,
    PluginSelection,
    derived_key,
    read_configuration,
)
from jiki_core.core_contributions import CORE_CONTRIBUTIONS
from jiki_core.db.database import db, init_database
from jiki_core.db.migration_sets import ALEMBIC_DIRECTORY, core_set
from jiki_core.errors import check_symbols
from jiki_core.http.api_document import make_api, mount
from jiki_core.http.errors import register_error_handlers
from jiki_core.http.guard import install_guard
from jiki_core.http.idempotency import install_idempotency
from jiki_core.http.mounts import Mounted
from jiki_core.http.operations import mount_operations
from jiki_core.observability.logs import configure_logging, get_logger
from jiki_core.plugins.health import HealthBoard
from jiki_core.plugins.host import PluginHost
from jiki_core.runtime import SERVING_ROLES, AppRole, Runtime
from jiki_core.schema_gate import SchemaGate, plugin_sets
from jiki_core.settings import ConfigurationError, Mistake, Sources, unknown_sections, unknown_variables

log = get_logger(__name__)

#: sysexits.h EX_CONFIG: what a serving process exits with when it must not start
EXIT_CONFIGURATION = 78


@collector_at_rest()
def create_app(role: AppRole | None = None, *, sources: Sources | None = None) -> Flask:
    """Builds the app of one process.

    `role` defaults to JIKI_ROLE, else `maintenance` under the `flask` command and `web` elsewhere. Serving roles exit
    with 78, the cause on the last line, when the configuration is wrong or a required plugin does not run; maintenance
    commands work with every plugin broken.
    """
    role = role or _role_of_process()
    configuration = _read(sources, role)
    settings = configuration.core
    configure_logging(settings.log_level, as_json=settings.log_format == "json")

    app = Flask("jiki_core", static_folder=None)
    app.config.update(
        SECRET_KEY=derived_key(settings, "flask").hex(),
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        MAX_FORM_MEMORY_SIZE=settings.max_body_bytes,
        PROPAGATE_EXCEPTIONS=False,
        JSON_SORT_KEYS=False,
    )
    init_database(app, settings)
    install_guard(app)
    install_idempotency(app)
    register_error_handlers(app)
    CORS(
        app,
        origins=list(settings.allowed_origins),
        supports_credentials=True,
        methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"],
        expose_headers=["Retry-After", "ETag", "X-Request-Id", "RateLimit", "RateLimit-Policy", "Idempotency-Replayed"],
        max_age=7_200,
        always_send=False,  # a cache that ignores Vary must not keep one origin's answer for another
    )

    host = PluginHost(configuration, CORE_CONTRIBUTIONS)
    host.load(app)
    if role in SERVING_ROLES:
        for status in host.statuses():
            log.info("plugin", **status.as_json())
    _refuse_mistakes(role, configuration, host)

    gate = SchemaGate(app, host, role, settings)
    assembly = bind_all(CORE_CONTRIBUTIONS, host)
    api = make_api(app)
    mounted: dict[str, Mounted] = {}
    for plugin, contributed in assembly.mounts:
        try:
            mounted.update(mount(api, plugin, contributed))
        except Exception as error:  # Flask refuses a rule or an endpoint when it is registered, not when it is written
            log.exception("plugin_not_mounted", plugin=plugin)
            mounted.update(contributed.endpoints(plugin))  # what it took before that must be guarded
            host.refuse_mount(plugin, contributed.blueprint.name, error)
    health = HealthBoard(app, host)
    mounted.update(
        mount_operations(
            app,
            is_ready=gate.is_ready,
            plugin_report=lambda: {
                "plugins": {status.name: status.as_json() for status in host.statuses()},
                "unknown": [str(mistake) for mistake in host.unknown],
                **gate.agreement(),
                "health": [one.as_json() for one in health.look()],
            },
        )
    )
    mounted.update(mount_files(app, assembly.file_kinds))
    app.extensions["jiki.assembly"] = assembly
    app.extensions["jiki.host"] = host
    app.extensions["jiki.gate"] = gate
    app.extensions["jiki.health"] = health
    app.extensions["jiki.configuration"] = configuration
    at = app.extensions["jiki"] = _runtime(role, configuration, host, gate, assembly, mounted)
    mounted.update(wire_cable(app, at, assembly))
    if settings.is_development:
        mounted.update(_development_pages(app))
    host.tell_ready(app)
    _refuse_missing(role, host)
    _add_commands(app, host)
    if role == "maintenance":
        _add_stock_alembic(app, host)
    return app


class BootRefused(SystemExit):
    """A serving process that must not start; the causes are on standard error, the last line says what to do."""


def _role_of_process() -> AppRole:
    named = os.environ.get("JIKI_ROLE")
    if named:
        return cast(AppRole, named)
    return "maintenance" if os.environ.get("FLASK_RUN_FROM_CLI") == "true" else "web"


def _read(sources: Sources | None, role: AppRole) -> Configuration:
    try:
        configuration = read_configuration(sources)
    except ConfigurationError as error:
        _refuse(list(error.mistakes))
    if role in SERVING_ROLES:
        missing = list(configuration.core.missing_services())
        if missing:
            _refuse(missing)
    return configuration


def _refuse_mistakes(role: AppRole, configuration: Configuration, host: PluginHost) -> None:
    """Serving roles start only with a configuration in which every name means something, and with what is required."""
    sections = {"core": CoreSettings, "plugins": PluginSelection}
    sections.update({name: one.plugin.Settings for name, one in host.loaded.items() if one.plugin.Settings is not None})
    opaque = [name for name in host.discovered if name not in sections]
    mistakes = [
        *host.unknown,
        *unknown_variables(configuration.sources, sections, opaque),
        *unknown_sections(configuration.sources, [*sections, *host.discovered]),
        *(Mistake("error symbols", sentence) for sentence in check_symbols()),
        *(Mistake("[plugins] required", status.sentence()) for status in host.missing_required()),
    ]
    if not mistakes:
        return
    if role in SERVING_ROLES:
        _refuse(mistakes)
    for mistake in mistakes:
        click.echo(f"warning: {mistake}", err=True)


def _refuse_missing(role: AppRole, host: PluginHost) -> None:
    """Once more, for what was refused since: required plugins that cannot be mounted or are not ready."""
    missing = [Mistake("[plugins] required", status.sentence()) for status in host.missing_required()]
    if missing and role in SERVING_ROLES:
        _refuse(missing)


def _refuse(mistakes: list[Mistake]) -> NoReturn:
    print("jiki does not start; what is wrong with its configuration:", file=sys.stderr)
    for mistake in mistakes:
        print(f"  {mistake}", file=sys.stderr, flush=True)
    raise BootRefused(EXIT_CONFIGURATION)


def _runtime(
    role: AppRole,
    configuration: Configuration,
    host: PluginHost,
    gate: SchemaGate,
    assembly: Assembly,
    mounted: dict[str, Mounted],
) -> Runtime:
    redis = connect(configuration.core.redis_url.reveal() or "redis://127.0.0.1:6379/0")
    return Runtime(
        role=role,
        settings=configuration.core,
        plugins=gate,
        mounted=mounted,
        jobs=assembly.jobs,
        job_names=assembly.job_names,
        listeners=assembly.listeners,
        providers=assembly.providers,
        channels=assembly.channels,
        emails=assembly.emails,
        permissions=assembly.permissions,
        roles=assembly.roles,
        notification_kinds=assembly.notification_kinds,
        file_kinds=assembly.file_kinds,
        authenticate=host.authenticate,
        authorize=host.authorize,
        plugin_settings={name: one.settings for name, one in host.loaded.items()},
        redis=redis,
        publish=publisher(redis, configuration.core.cable_anycable),
        disconnect=disconnector(redis, configuration.core.cable_anycable),
    )


def _development_pages(app: Flask) -> dict[str, Mounted]:
    """`/dev`, when jiki-core[dev] is installed; production images have neither."""
    try:
        from jiki_core.devserver.pages import mount_pages
    except ModuleNotFoundError:
        return {}
    return mount_pages(app)


def _add_commands(app: Flask, host: PluginHost) -> None:
    """`flask <plugin> …`; the core's own commands are entry points of jiki-core, so that none can shadow them."""
    for plugin, load in host.commands():
        app.cli.add_command(PluginCommands(plugin, load))


def _add_stock_alembic(app: Flask, host: PluginHost) -> None:
    """`flask alembic … -x plugin=NAME`: Flask-Migrate's own commands on one set; `flask db` is ours, over all."""
    from flask_migrate import Migrate  # serving processes have no use for Alembic: it is a tenth of their boot

    migrate = Migrate(app, db, command="alembic", directory=str(ALEMBIC_DIRECTORY))

    def choose_set(config: Any) -> Any:
        named = dict(text.split("=", 1) for text in getattr(config.cmd_opts, "x", None) or [] if "=" in text)
        sets = {one.name: one for one in (core_set(), *plugin_sets(host))}
        chosen = sets.get(named.get("plugin", "core"))
        if chosen is None:
            raise RuntimeError(f"there is no set {named['plugin']}; there are {', '.join(sets)}")
        config.set_main_option("path_separator", "os")
        config.set_main_option("version_locations", str(chosen.versions))
        return config

    migrate.configure(choose_set)
