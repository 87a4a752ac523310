"""Development's own pages, served by `web`: `/dev` (what runs), `/dev/mail` and `/dev/mail.json` (what was mailed).

Mounted by `app.py` when the environment is `development`; nothing of this exists in production.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, request
from jinja2 import Environment, PackageLoader, select_autoescape
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from jiki_core.db import reading
from jiki_core.db.outbox import OutboxEntry, OutboxState
from jiki_core.devserver.mailcatcher import CaughtMail, read_outbox
from jiki_core.errors import NotFound
from jiki_core.http import never_cache
from jiki_core.http.mounts import Mounted
from jiki_core.http.replies import json_response
from jiki_core.plugins.host import PluginHost
from jiki_core.runtime import runtime_of
from jiki_core.security import public

_templates = Environment(loader=PackageLoader("jiki_core.devserver"), autoescape=select_autoescape(), trim_blocks=True)


def mount_pages(app: Flask) -> dict[str, Mounted]:
    """Adds the pages; returns their guards."""
    pages = Blueprint("dev", __name__, url_prefix="/dev")

    @pages.get("")
    def overview() -> Response:
        host: PluginHost = app.extensions["jiki.host"]
        return _page(
            "overview.html",
            plugins=host.statuses(),
            policies=_policies(app),
            jobs=_jobs(),
            mails=_mails(app)[:5],
            breakage=_breakage(app),
            channels=runtime_of(app).channels,
        )

    @pages.get("/mail")
    def mail() -> Response:
        found = _mails(app)
        wanted = request.args.get("id")
        chosen = next((one for one in found if one.id == wanted), None)
        if wanted and chosen is None:
            raise NotFound()
        return _page("mail.html", mails=found, chosen=chosen)

    @pages.get("/mail.json")
    def mail_as_json() -> Response:
        return never_cache(json_response({"messages": [one.as_dict() for one in _mails(app)]}, 200))

    app.register_blueprint(pages)
    return {name: Mounted("core", "core", public) for name in app.view_functions if name.startswith("dev.")}


def _page(template: str, **values: Any) -> Response:
    return never_cache(Response(_templates.get_template(template).render(**values), content_type="text/html"))


def _mails(app: Flask) -> list[CaughtMail]:
    return read_outbox(_data_dir(app) / "mail")


def _breakage(app: Flask) -> dict[str, Any] | None:
    """Why the code on disk is not the code that serves: the last save did not import."""
    try:
        found: dict[str, Any] = json.loads((_data_dir(app) / "reload-error.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _data_dir(app: Flask) -> Path:
    return runtime_of(app).settings.data_dir


def _policies(app: Flask) -> list[tuple[str, str, str, str]]:
    mounted = runtime_of(app).mounted
    return sorted(
        (
            rule.rule,
            "/".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})),
            known.plugin,
            known.policy.describe(),
        )
        for rule in app.url_map.iter_rules()
        if (known := mounted.get(rule.endpoint)) is not None
    )


def _jobs() -> dict[str, Any]:
    """Counts by state and the dead ones; empty while the database is away."""
    try:
        counts = reading().execute(select(OutboxEntry.state, func.count()).group_by(OutboxEntry.state)).all()
        dead = reading().scalars(select(OutboxEntry).where(OutboxEntry.state == OutboxState.DEAD).limit(20)).all()
    except SQLAlchemyError as error:
        return {"counts": [], "dead": [], "error": type(error).__name__}
    return {"counts": sorted(row._tuple() for row in counts), "dead": dead, "error": None}
