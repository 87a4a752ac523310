"""Broken third-party plugins of every kind: each yields one sentence with cause and remedy, and leaves the rest serving."""

from __future__ import annotations

import json

import pytest

from tests.plugin_factory import PluginFolder

HEALTHY = """
    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        blp = Blueprint("healthy", __name__, url_prefix="/healthy")

        @blp.route("")
        @policy(public)
        def index():
            return reply({"healthy": True})

        return [Mount(blp, "external")]

    @hookimpl
    def jiki_permissions(self) -> Sequence[Permission | Role]:
        return [Permission("healthy.act", "Act")]
"""

MOUNTS = """
    @hookimpl
    def jiki_blueprints(self) -> Sequence[Mount]:
        {made}

        return [{mounts}]
"""

MODELS_HOOK = """
    @hookimpl
    def jiki_models(self) -> Sequence[type[Model]]:
        from acme_{name}.models import Child, Parent

        return [Parent, Child]
"""

MODELS = """
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column
from jiki_core.db import IdentityKey, Model


class Base(Model):
    __abstract__ = True
    __plugin__ = {schema!r}


class Parent(Base):
    __tablename__ = "parents"
    id: Mapped[IdentityKey]


class Child(Base):
    __tablename__ = "children"
    id: Mapped[IdentityKey]
    parent_id: Mapped[int] = mapped_column(ForeignKey("{schema}.parents.id"{rule}), index=True)
"""


def with_models(name, schema, rule):
    return {"body": MODELS_HOOK.format(name=name), "files": {"models.py": MODELS.format(schema=schema, rule=rule)}}


#: name -> (arguments of PluginFolder.add, state, words of the cause)
BROKEN = {
    "syntax": ({"source": "def broken(:\n"}, "import-failed", ["SyntaxError", "plugin.py, line 1"]),
    "nameerror": (
        {"source": "plugin = undefined_thing\n"},
        "import-failed",
        ["NameError", "undefined_thing", "line 1"],
    ),
    "wrongtype": (
        {"body": "    @hookimpl\n    def jiki_jobs(self) -> Sequence[Job]:\n        return ['not a job']\n"},
        "invalid",
        ["jiki_jobs returned a str where a Job is expected"],
    ),
    "unknownhook": (
        {"body": "    @hookimpl\n    def jiki_blueprint(self) -> Sequence[Mount]:\n        return []\n"},
        "invalid",
        ["jiki_blueprint", "is no hook", "did you mean jiki_blueprints?"],
    ),
    "urlclash": (
        {
            "body": HEALTHY.replace("healthy.act", "urlclash.act"),
        },
        "invalid",
        ["/external/healthy belongs to healthy"],
    ),
    "permissionclash": (
        {
            "body": "    @hookimpl\n    def jiki_permissions(self) -> Sequence[Permission | Role]:\n"
            "        return [Permission('healthy.act', 'Act')]\n"
        },
        "invalid",
        ["healthy.act", "must be named 'permissionclash.<act>'"],
    ),
    "nopolicy": (
        {
            "body": HEALTHY.replace('"healthy"', '"nopolicy"')
            .replace("/healthy", "/nopolicy")
            .replace("@policy(public)", "")
            .replace('"external"', '"webhooks"')
            .replace("healthy.act", "nopolicy.act")
        },
        "invalid",
        ["/api/v1/webhooks/nopolicy has no policy"],
    ),
    "needsmissing": (
        {"attributes": 'requires = ("nowhere>=1.0",)'},
        "blocked",
        ["nowhere>=1.0, which is not installed"],
    ),
    "tooold": ({"attributes": 'requires = ("healthy>=2.0",)'}, "incompatible", ["healthy>=2.0, but healthy 1.0.0"]),
    "circle": ({"attributes": 'requires = ("circleb",)'}, "blocked", ["circle -> circleb -> circle"]),
    "outside": (
        with_models("outside", "elsewhere", ', ondelete="CASCADE"'),
        "invalid",
        ["elsewhere.parents", "lies outside its schema"],
    ),
    "plainfield": (
        {
            "source": """
            from dataclasses import dataclass
            from jiki_core.plugins import Plugin

            @dataclass(frozen=True)
            class Some:
                size: int = 5

            class Plain(Plugin):
                name = "plainfield"
                Settings = Some

            plugin = Plain()
            """
        },
        "invalid",
        ["Settings.size is a plain field; make it with setting("],
    ),
    "oddtype": (
        {
            "source": """
            from dataclasses import dataclass
            from jiki_core.plugins import Plugin
            from jiki_core.settings import setting

            @dataclass(frozen=True)
            class Some:
                size: "Nowhere" = setting(5, help="Size")

            class Odd(Plugin):
                name = "oddtype"
                Settings = Some

            plugin = Odd()
            """
        },
        "invalid",
        ["checking it raised NameError: name 'Nowhere' is not defined"],
    ),
    "oddneeds": ({"attributes": "requires = (5,)"}, "invalid", ["requires names 5, which is no requirement"]),
    "flaskblueprint": (
        {"body": MOUNTS.format(made="from flask import Blueprint as Plain", mounts='Mount(Plain("plain", __name__))')},
        "invalid",
        ["the blueprint plain is Flask's own; make it with jiki_core.Blueprint"],
    ),
    "twicemounted": (
        {
            "body": MOUNTS.format(
                made='blp = Blueprint("twice", __name__, url_prefix="/twicemounted")', mounts="Mount(blp), Mount(blp)"
            )
        },
        "invalid",
        ["the blueprint twicemounted_internal_twice is declared twice"],
    ),
    "badrule": (
        {"body": HEALTHY.replace("healthy", "badrule").replace('route("")', 'route("/<nosuch:id>")')},
        "invalid",
        ["its blueprint badrule cannot be mounted", "nosuch"],
    ),
    "twoears": (
        {
            "body": "    @hookimpl\n    def jiki_listeners(self) -> Sequence[Listener]:\n"
            "        return [Listener('a.b', print), Listener('a.b', print)]\n"
        },
        "invalid",
        ["the listener a.b by print is declared twice"],
    ),
    "nameless": (
        {
            "body": "    @hookimpl\n    def jiki_listeners(self) -> Sequence[Listener]:\n"
            "        from functools import partial\n"
            "        return [Listener('a.b', partial(print))]\n"
        },
        "invalid",
        ["what jiki_listeners returned cannot be used: AttributeError"],
    ),
    "noondelete": (with_models("noondelete", "noondelete", ""), "invalid", ["children.parent_id", "no ON DELETE"]),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = PluginFolder(tmp_path_factory.mktemp("broken"))
    made.add("healthy", HEALTHY)
    made.add("circleb", attributes='requires = ("circle",)')
    for name, (arguments, _state, _words) in BROKEN.items():
        made.add(name, **arguments)
    return made


@pytest.fixture(scope="module")
def states(folder):
    return folder.states()


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_named_with_cause_and_remedy(states, name):
    _arguments, state, words = BROKEN[name]
    found = states[name]
    assert found["state"] == state, found
    for word in words:
        assert word in found["cause"], found["cause"]
    assert found["remedy"]


def test_the_healthy_one_keeps_running(states):
    assert states["healthy"]["state"] == "running"


def test_two_roles_of_one_permission_name_cannot_clash_across_plugins(tmp_path):
    folder = PluginFolder(tmp_path)
    role = """
    @hookimpl
    def jiki_permissions(self) -> Sequence[Permission | Role]:
        return [Role("keeper", "Keeps")]
"""
    folder.add("aaa", role)
    folder.add("bbb", role)
    found = folder.states()
    assert found["aaa"]["state"] == "running"
    assert found["bbb"]["state"] == "invalid"
    assert "the role keeper is declared by aaa already" in found["bbb"]["cause"]


def test_dependents_of_a_broken_plugin_are_blocked(tmp_path):
    folder = PluginFolder(tmp_path)
    folder.add("base", source="raise RuntimeError('no')\n")
    folder.add("upper", attributes='requires = ("base>=1.0",)')
    found = folder.states()
    assert found["base"]["state"] == "import-failed"
    assert found["upper"]["state"] == "blocked"
    assert "base" in found["upper"]["cause"]


def test_a_plugin_that_is_not_listed_is_available_and_never_imported(tmp_path):
    folder = PluginFolder(tmp_path)
    folder.add("sleeper", source="raise RuntimeError('imported')\n")
    found = folder.states(enabled=[])
    assert found["sleeper"]["state"] == "available"


def test_an_unknown_name_gets_the_nearest_match_and_stops_a_serving_process(tmp_path):
    folder = PluginFolder(tmp_path)
    folder.add("badges")
    done = folder.flask("jobs", "scheduler", enabled=["bagdes"], DATABASE_URL="postgresql://x", REDIS_URL="redis://x")
    assert done.returncode == 78
    assert "bagdes, which is not installed; did you mean badges?" in done.stderr


def test_a_required_name_that_nobody_has_is_not_passed_over(tmp_path):
    folder = PluginFolder(tmp_path)
    folder.add("badges")
    settings = {"JIKI_PLUGINS_REQUIRED": "bagdes", "DATABASE_URL": "postgresql://x", "REDIS_URL": "redis://x"}
    done = folder.flask("jobs", "scheduler", **settings)
    assert done.returncode == 78
    assert "[plugins] required: names bagdes, which is not installed; did you mean badges?" in done.stderr
    off = folder.flask("jobs", "scheduler", enabled=[], **{**settings, "JIKI_PLUGINS_REQUIRED": "badges"})
    assert off.returncode == 78
    assert "badges 1.0.0 is available: it is installed but not listed; add badges to [plugins] enabled" in off.stderr
    listed = folder.flask("plugins", "list", enabled=[], JIKI_PLUGINS_REQUIRED="badges")
    assert (listed.returncode, "warning: [plugins] required: badges" in listed.stderr) == (0, True), (
        "nothing exits here"
    )


def test_safe_mode_loads_required_plugins_and_what_they_require_only(tmp_path):
    folder = PluginFolder(tmp_path)
    folder.add("base")
    folder.add("heart", attributes='requires = ("base",)')
    folder.add("extra", source="raise RuntimeError('imported')\n")
    found = folder.states(JIKI_SAFE_MODE="1", JIKI_PLUGINS_REQUIRED="heart")
    assert {name: found[name]["state"] for name in folder.names} == {
        "base": "running",
        "heart": "running",
        "extra": "disabled",
    }
    assert found["extra"]["remedy"] == "unset JIKI_SAFE_MODE"


def test_what_is_unknown_and_what_a_plugin_contributes_can_be_read_by_programs(tmp_path):
    folder = PluginFolder(tmp_path)
    folder.add("healthy", HEALTHY)
    listed = json.loads(folder.flask("plugins", "list", "--json", enabled=["healthy", "heatlhy"]).stdout)
    assert "names heatlhy, which is not installed; did you mean healthy?" in listed["unknown"][0]
    shown = json.loads(folder.flask("plugins", "show", "healthy", "--json").stdout)
    assert (shown["state"], list(shown["contributes"]["routes"])) == ("running", ["GET /api/v1/external/healthy"])
    checked = folder.flask("plugins", "check", "--json", enabled=["healthy", "heatlhy"])
    assert (checked.returncode, len(json.loads(checked.stdout)["faults"])) == (1, 1)


def test_a_required_plugin_that_does_not_run_stops_a_serving_process_with_the_cause_last(tmp_path):
    folder = PluginFolder(tmp_path)
    folder.add("heart", source="raise RuntimeError('stopped beating')\n")
    done = folder.flask(
        "jobs", "scheduler", JIKI_PLUGINS_REQUIRED="heart", DATABASE_URL="postgresql://x", REDIS_URL="redis://x"
    )
    assert done.returncode == 78
    assert "stopped beating" in done.stderr.strip().splitlines()[-1]


def test_maintenance_works_with_every_plugin_broken(folder):
    assert folder.flask("config", "show").returncode == 0
    assert folder.flask("plugins", "list").returncode == 0


def test_a_setting_that_is_wrong_makes_only_that_plugin_misconfigured(tmp_path):
    folder = PluginFolder(tmp_path)
    folder.add(
        "tuned",
        source="""
        from dataclasses import dataclass
        from jiki_core.plugins import Plugin
        from jiki_core.settings import setting

        @dataclass(frozen=True)
        class TunedSettings:
            size: int = setting(5, help="Size", minimum=1, example="5")

        class Tuned(Plugin):
            name = "tuned"
            Settings = TunedSettings

        plugin = Tuned()
        """,
    )
    found = folder.states(JIKI_TUNED_SIZE="0")["tuned"]
    assert found["state"] == "misconfigured"
    assert "JIKI_TUNED_SIZE: must be at least 1 (example: 5)" in found["cause"]
