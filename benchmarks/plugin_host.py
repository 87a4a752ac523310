"""The plugin host: boot with the four plugins and with fifty generated ones, and what hooks of fifty plugins cost a request.

Boot is a process from its start to an app that could serve: imports, discovery, validation, mounting. Targets: 1 s with
four plugins, 3 s with fifty, 50 µs a request for a hook that all fifty implement. CPU time is the steadier figure.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from flask import Flask

from jiki_core.app import create_app
from jiki_core.security import Identity
from jiki_core.settings import Sources

FOUR = "auth,learning,payments,i18n"
FIFTY = 50
_SERVICES = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
_BOOT = """
import json, time
started = time.perf_counter()
from jiki_core.boot import collector_at_rest
with collector_at_rest(for_good=True):  # as in wsgi.py
    from jiki_core.app import create_app
    from jiki_core.settings import Sources
    imported = time.perf_counter()
    app = create_app("web", sources=Sources({}, json.loads(%r)))
states = {one.name: str(one.state) for one in app.extensions["jiki.host"].statuses() if one.state != "available"}
print(json.dumps({
    "seconds": time.perf_counter() - started,
    "create_app_seconds": time.perf_counter() - imported,
    "cpu_seconds": time.process_time(),
    "running": sum(state == "running" for state in states.values()),
}))
"""
_PLUGIN = """
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, Request

from jiki_core.cable import Channel
from jiki_core.db import Model
from jiki_core.events import Listener
from jiki_core.http import Mount
from jiki_core.jobs import Job
from jiki_core.plugins import Permission, PersonalTable, Plugin, Role, hookimpl
from jiki_core.security import Identity
from jiki_core.settings import setting


@dataclass(frozen=True)
class Settings:
    size: int = setting(10, help="How many", minimum=1)
    word: str = setting("x", help="Which")


class GeneratedPlugin(Plugin):
    name = "{name}"
    uses = {uses}
    Settings = Settings

    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        from acme_{name}.parts import blp

        return [Mount(blp)]

    @hookimpl
    def jiki_models(self) -> Sequence[type[Model]]:
        from acme_{name}.parts import Note, Tag

        return [Note, Tag]

    @hookimpl
    def jiki_jobs(self) -> Sequence[Job]:
        from acme_{name}.parts import tidy

        return [Job(tidy, schedule="0 3 * * *")]

    @hookimpl
    def jiki_channels(self) -> Sequence[type[Channel]]:
        from acme_{name}.parts import NotesChannel

        return [NotesChannel]

    @hookimpl
    def jiki_listeners(self) -> Sequence[Listener]:
        from acme_{name}.parts import on_something

        return [Listener("other.something", on_something)]

    @hookimpl
    def jiki_permissions(self) -> Sequence[Permission | Role]:
        return [Permission("{name}.write", "Write", roles=("learner",))]

    @hookimpl
    def jiki_personal_data(self) -> Sequence[PersonalTable]:
        return [PersonalTable("notes", "user_id", ("text",)), PersonalTable("tags", "note_id.user_id", ("text",))]

    @hookimpl
    def jiki_authenticate(self, request: Request) -> Identity | None:
        return None

    @hookimpl
    def jiki_authorize(self, identity: Identity, permission: str, resource: Any) -> bool | None:
        return None


plugin = GeneratedPlugin()
"""
_PARTS = '''
from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from jiki_core.cable import Channel
from jiki_core.db import IdentityKey, Model, UnitOfWork
from jiki_core.http import Blueprint, PageQuery, Reply, Schema, fields, no_content, reply


class Base(Model):
    __abstract__ = True
    __plugin__ = "{name}"


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[IdentityKey]
    user_id: Mapped[int] = mapped_column(BigInteger, index=True)
    text: Mapped[str] = mapped_column(Text)


class Tag(Base):
    __tablename__ = "tags"
    id: Mapped[IdentityKey]
    note_id: Mapped[int] = mapped_column(ForeignKey("{name}.notes.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(Text)


class NoteBody(Schema):
    text = fields.Text(required=True)


class NoteReply(Schema):
    note = fields.Nested(NoteBody, required=True)
    meta = fields.Dict(required=True)


blp = Blueprint("notes", __name__, url_prefix="/{name}", description="Notes")


@blp.route("")
@blp.arguments(PageQuery, location="query")
@blp.response(200, NoteReply)
def index(query: dict[str, Any]) -> Reply:
    """All."""
    return reply({{"note": {{"text": ""}}}})


@blp.route("", methods=["POST"])
@blp.arguments(NoteBody)
@blp.response(201, NoteReply)
def create(body: dict[str, Any]) -> Reply:
    """One more."""
    return reply({{"note": body}}, status=201)


@blp.route("/<int:note_id>", methods=["DELETE"])
@blp.response(204)
def destroy(note_id: int) -> Reply:
    """One less."""
    return no_content()


class NotesChannel(Channel):
    name = "{name}.NotesChannel"
    truth = "GET /api/v1/internal/{name}"

    def subscribed(self) -> None:
        self.stream_from("{name}/notes")


def tidy(uow: UnitOfWork) -> None:
    """Nothing."""


def on_something(uow: UnitOfWork, event: dict[str, Any]) -> None:
    """Nothing."""
'''


def write_plugins(folder: Path, count: int = FIFTY) -> list[str]:
    """Writes `count` plugins with a part of each kind, as they lie when installed; every fifth uses the one before it."""
    names = [f"gen_{number:02d}" for number in range(count)]
    for number, name in enumerate(names):
        package, metadata = folder / f"acme_{name}", folder / f"acme_{name}-1.0.0.dist-info"
        package.mkdir(parents=True)
        metadata.mkdir()
        uses = (names[number - 1],) if number % 5 == 4 else ()
        (package / "__init__.py").write_text("")
        (package / "plugin.py").write_text(_PLUGIN.format(name=name, uses=uses))
        (package / "parts.py").write_text(_PARTS.format(name=name))
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme-{name}\nVersion: 1.0.0\n")
        (metadata / "entry_points.txt").write_text(f"[jiki.plugins]\n{name} = acme_{name}.plugin:plugin\n")
    return names


def run(seconds: float, rounds: int) -> dict[str, Any]:
    """`rounds` boots of each kind; hooks for `seconds` each."""
    with tempfile.TemporaryDirectory(prefix="jiki-plugins-") as here:
        names = write_plugins(Path(here))
        boots: dict[str, list[dict[str, Any]]] = {"core_alone": [], "four_plugins": [], "fifty_plugins": []}
        for _ in range(rounds + 1):  # the first writes byte code
            boots["core_alone"].append(_boot("", here))
            boots["four_plugins"].append(_boot(FOUR, here))
            boots["fifty_plugins"].append(_boot(",".join(names), here))
        result: dict[str, Any] = {name: _medians(told[1:]) for name, told in boots.items()}
        sys.path.insert(0, here)
        app = create_app("web", sources=Sources({}, _environment(",".join(names))))
        sys.path.remove(here)
    result["hooks_with_fifty_plugins"] = _hooks(app, seconds)
    return result


def _environment(enabled: str) -> dict[str, str]:
    return {"JIKI_ENV": "test", "JIKI_LOG_LEVEL": "ERROR", "JIKI_PLUGINS_ENABLED": enabled, **_SERVICES}


def _boot(enabled: str, folder: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", _BOOT % json.dumps(_environment(enabled))],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([folder, *(one for one in sys.path if one), os.getcwd()])},
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    expected = len([name for name in enabled.split(",") if name])
    if told["running"] != expected:
        raise RuntimeError(f"{told['running']} of {expected} plugins run")
    return told


def _medians(told: list[dict[str, Any]]) -> dict[str, float]:
    return {
        name: round(statistics.median(one[name] for one in told), 3)
        for name in ("seconds", "create_app_seconds", "cpu_seconds")
    }


def _hooks(app: Flask, seconds: float) -> dict[str, float]:
    """Microseconds of CPU that one request spends in a hook which all fifty implement and none of them answers."""
    host = app.extensions["jiki.host"]
    somebody = Identity(1, "session", permissions=frozenset())
    with app.test_request_context("/") as context:
        return {
            "authenticate_cpu_us": _cpu_us(lambda: host.authenticate(context.request), seconds / 2),
            "authorize_cpu_us": _cpu_us(lambda: host.authorize(somebody, "gen_00.write", None), seconds / 2),
        }


def _cpu_us(call: Any, seconds: float) -> float:
    """The best of many batches: what the work itself takes, without what else the machine does."""
    batches = []
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        started = time.process_time()
        for _ in range(200):
            call()
        batches.append((time.process_time() - started) / 200 * 1e6)
    return round(min(batches), 1)
